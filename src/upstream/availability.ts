import type { Backend, BackendState } from './backend.ts'

/** Rises with every change of any backend's availability, except where a time that was set runs out. */
export interface AvailabilityEpoch {
  value: number
}

/** Whether new requests may go to it. `nowMs` by the clock of `performance.now()`. */
export function isAvailable({ state }: Backend, nowMs: number): boolean {
  return state.health === 'up' && state.ejectedUntilMs <= nowMs
}

export function listAvailable<T extends { readonly backend: Backend }>(members: readonly T[], nowMs: number): T[] {
  return members.filter(({ backend }) => isAvailable(backend, nowMs))
}

/** When the time of an ejection runs out next; Infinity where there is none. */
export function findNextReturn(members: readonly { readonly backend: Backend }[], nowMs: number): number {
  let nextMs = Number.POSITIVE_INFINITY
  for (const { backend } of members) {
    const { ejectedUntilMs } = backend.state
    if (ejectedUntilMs > nowMs && ejectedUntilMs < nextMs) nextMs = ejectedUntilMs
  }
  return nextMs
}

/** Since when it has been available without a break; 0: from the beginning. */
export function availableSince({ upSinceMs, ejectedUntilMs }: BackendState): number {
  return Math.max(upSinceMs, ejectedUntilMs)
}
