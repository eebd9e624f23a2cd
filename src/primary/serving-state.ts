import type { ConfigSnapshot } from '../ipc/protocol.ts'
import type { SocketSet } from './socket-set.ts'

/** Everything that a worker is started with: what `status` calls the version, and the generation it belongs to. */
export interface ServingState {
  readonly snapshot: ConfigSnapshot
  readonly generation: number
  /** In the order of `snapshot.config.server.listen`. */
  readonly sockets: SocketSet
}

/** Patience with a worker that goes: milliseconds for open HTTP exchanges and for tunnels. */
export interface DrainLimits {
  readonly httpMs: number
  readonly websocketMs: number
}

export function drainLimitsOf({ snapshot }: ServingState): DrainLimits {
  const { drainMs, websocketDrainMs } = snapshot.config.server.timeouts
  return { httpMs: drainMs, websocketMs: websocketDrainMs }
}
