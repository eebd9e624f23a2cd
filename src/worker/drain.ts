import type { DrainLimits } from '../ipc/protocol.ts'
import type { Listener } from '../listener/listener.ts'
import type { TunnelSet } from '../proxy/tunnel-set.ts'

/**
 * Takes nothing new and lets what is open finish within its limits; tunnels are told to go away one after another. Resolves when nothing is left, with the number of connections that had to be cut.
 */
export async function drainWorker(
  listeners: readonly Listener[],
  tunnels: TunnelSet,
  limits: DrainLimits,
): Promise<number> {
  const startedMs = performance.now()
  const cut = await Promise.all([drainListeners(listeners, limits), tunnels.drain({ deadlineMs: limits.websocketMs })])
  // A connection that was accepted cannot be handed on: what it asked for meanwhile may be a tunnel, opened and told to
  // go away when the others had left already.
  const leftMs = limits.websocketMs - (performance.now() - startedMs)
  const cutLate = await tunnels.drain({ deadlineMs: Math.max(leftMs, FAREWELL_MS) })
  return cut.reduce((sum, count) => sum + count, cutLate)
}

async function drainListeners(listeners: readonly Listener[], { httpMs, idleMs }: DrainLimits): Promise<number> {
  let cut = 0
  const timer = setTimeout(() => {
    for (const listener of listeners) {
      cut += listener.connections
      listener.destroy()
    }
  }, httpMs)
  await Promise.all(listeners.map((listener) => listener.drain(idleMs)))
  clearTimeout(timer)
  return cut
}

/** For the Close handshake of a tunnel that was opened last; less than the margin the primary adds to the deadlines. */
const FAREWELL_MS = 1_000
