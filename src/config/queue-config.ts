/** Exchanges that wait for a place at a backend. */
export interface QueueConfig {
  /** How many may wait in one worker; 0: nobody. */
  readonly size: number
  /** Milliseconds that one may wait. */
  readonly timeoutMs: number
}
