/** How fast a process that keeps dying is replaced. Milliseconds. */
export interface RestartPolicy {
  /** Wait before the third process in a row; the second one starts at once, each later one waits twice as long. */
  readonly firstWaitMs: number
  readonly maxWaitMs: number
  /** A process that lived so long begins a new count. */
  readonly healthyMs: number
  /** Deaths in a row that make a crash loop. */
  readonly loopAfter: number
}

export const RESTART_POLICY: RestartPolicy = {
  firstWaitMs: 100,
  maxWaitMs: 30_000,
  healthyMs: 60_000,
  loopAfter: 5,
}

/** Wait before the replacement after so many deaths in a row; `deaths` is at least 1. */
export function restartWaitMs(deaths: number, { firstWaitMs, maxWaitMs }: RestartPolicy): number {
  return deaths <= 1 ? 0 : Math.min(firstWaitMs * 2 ** (deaths - 2), maxWaitMs)
}
