/** What the failed requests of a backend have come to, as one worker saw them. Times by the clock of `performance.now()`. */
export interface Trouble {
  /** Failures that may still be within the window, oldest first. */
  readonly failedAtMs: number[]
  /** Ejections that followed each other closely. */
  ejections: number
  /** Connections that failed since the last answer. */
  inARow: number
  /** How often its circuit was opened since it was closed; 0: it is closed. */
  openings: number
}

export function createTrouble(): Trouble {
  return { failedAtMs: [], ejections: 0, inARow: 0, openings: 0 }
}
