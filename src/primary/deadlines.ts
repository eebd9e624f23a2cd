/** Patience with workers, in milliseconds. */
export interface Deadlines {
  /** From the start of the process until it is ready. */
  readonly startMs: number
  /** For the answer to `prepare`, `commit` and `drain`. */
  readonly ackMs: number
  /** Longest silence of a worker that is ready or draining; it beats once a second. */
  readonly beatMs: number
  /** What a draining worker gets beyond its own deadlines, and one that said it is done before it must be gone. */
  readonly marginMs: number
}

export const DEADLINES: Deadlines = { startMs: 10_000, ackMs: 5_000, beatMs: 5_000, marginMs: 2_000 }
