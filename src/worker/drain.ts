import type { Listener } from '../listener/listener.ts'
import type { TunnelSet } from '../proxy/tunnel-set.ts'

export interface DrainDeadlines {
  readonly httpMs: number
  readonly websocketMs: number
}

/**
 * Takes nothing new and lets what is open finish: HTTP until `httpMs`, tunnels until `websocketMs`, told to go away
 * one after another. Resolves when nothing is left, with the number of connections that had to be cut.
 */
export async function drainWorker(
  listeners: readonly Listener[],
  tunnels: TunnelSet,
  deadlines: DrainDeadlines,
): Promise<number> {
  const startedMs = performance.now()
  const cut = await Promise.all([
    drainListeners(listeners, deadlines.httpMs),
    tunnels.drain({ deadlineMs: deadlines.websocketMs }),
  ])
  // A connection that was accepted cannot be handed on: what it asked for meanwhile may be a tunnel, opened and told to
  // go away when the others had left already.
  const leftMs = deadlines.websocketMs - (performance.now() - startedMs)
  const cutLate = await tunnels.drain({ deadlineMs: Math.max(leftMs, FAREWELL_MS) })
  return cut.reduce((sum, count) => sum + count, cutLate)
}

async function drainListeners(listeners: readonly Listener[], deadlineMs: number): Promise<number> {
  let cut = 0
  const timer = setTimeout(() => {
    for (const listener of listeners) {
      cut += listener.connections
      listener.destroy()
    }
  }, deadlineMs)
  // An idle client gets the chance to send the request that is already on its way; half the patience is for those at work.
  const graceMs = Math.min(deadlineMs / 2, IDLE_GRACE_MS)
  await Promise.all(listeners.map((listener) => listener.drain(graceMs)))
  clearTimeout(timer)
  return cut
}

const IDLE_GRACE_MS = 2_000
/** For the Close handshake of a tunnel that was opened last; less than the margin the primary adds to the deadlines. */
const FAREWELL_MS = 1_000
