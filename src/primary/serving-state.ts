import type { ConfigSnapshot, DrainLimits } from '../ipc/protocol.ts'
import type { SocketSet } from './socket-set.ts'

/** Everything that a worker is started with: what `status` calls the version, and the generation it belongs to. */
export interface ServingState {
  readonly snapshot: ConfigSnapshot
  readonly generation: number
  /** In the order of `snapshot.config.server.listen`. */
  readonly sockets: SocketSet
}

/** At a stop somebody waits for the end. */
const STOP_IDLE_MS = 2_000

/** For a worker that another one replaces: nobody waits for it, so that idle clients are given time. */
export function drainLimitsOf({ snapshot }: ServingState): DrainLimits {
  const { drainMs, websocketDrainMs } = snapshot.config.server.timeouts
  return { httpMs: drainMs, idleMs: drainMs / 2, websocketMs: websocketDrainMs }
}

export function stopLimitsOf(state: ServingState): DrainLimits {
  const limits = drainLimitsOf(state)
  return { ...limits, idleMs: Math.min(limits.idleMs, STOP_IDLE_MS) }
}
