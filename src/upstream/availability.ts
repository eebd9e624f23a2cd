import type { Backend, BackendState } from './backend.ts'

/** Rises with every change of any backend's availability, except where a time that was set runs out. */
export interface AvailabilityEpoch {
  value: number
}

/** A backend of an upstream, with whatever the upstream keeps of it. */
interface Listed {
  readonly backend: Backend
}

/** Whether new requests may go to it. `nowMs` by the clock of `performance.now()`. */
export function isAvailable(backend: Backend, nowMs: number): boolean {
  const { health, ejectedUntilMs } = backend.state
  return health === 'up' && ejectedUntilMs <= nowMs && isReachable(backend, nowMs)
}

/**
 * Those to choose from. Spares stand in where no member is available. In a panic, when less than half of the members are
 * available and no spare is, what is known of their health is ignored: those that are left could not serve everybody, and
 * what was found out may be wrong. Who is drained or has an open circuit stays out.
 */
export function listOpen<T extends Listed>(members: readonly T[], spares: readonly T[], nowMs: number): readonly T[] {
  const available = listAvailable(members, nowMs)
  const wanted = members.filter(({ backend }) => backend.state.health !== 'drained')
  if (available.length > 0 && available.length * 2 >= wanted.length) return available
  const standIns = listAvailable(spares, nowMs)
  if (standIns.length > 0) return available.length > 0 ? available : standIns
  const reachable = listReachable(members, nowMs)
  return reachable.length > 0 ? reachable : listReachable(spares, nowMs)
}

export function listAvailable<T extends Listed>(members: readonly T[], nowMs: number): T[] {
  return members.filter(({ backend }) => isAvailable(backend, nowMs))
}

/** When the time of an ejection or of an open circuit runs out next; Infinity where there is none. */
export function findNextReturn(members: readonly Listed[], nowMs: number): number {
  let nextMs = Number.POSITIVE_INFINITY
  for (const { backend } of members) {
    const { ejectedUntilMs, openUntilMs } = backend.state
    if (ejectedUntilMs > nowMs) nextMs = Math.min(nextMs, ejectedUntilMs)
    if (openUntilMs > nowMs) nextMs = Math.min(nextMs, openUntilMs)
  }
  return nextMs
}

/** Since when it has been available without a break, negative where that is before this process began; 0: from the beginning. */
export function availableSince({ upSinceMs, ejectedUntilMs }: BackendState): number {
  return ejectedUntilMs > 0 ? Math.max(upSinceMs, ejectedUntilMs) : upSinceMs
}

function listReachable<T extends Listed>(members: readonly T[], nowMs: number): T[] {
  return members.filter(({ backend }) => isReachable(backend, nowMs))
}

function isReachable({ state }: Backend, nowMs: number): boolean {
  return state.health !== 'drained' && state.openUntilMs <= nowMs
}
