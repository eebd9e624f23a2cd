/** How often it is looked whether the event loop gets round: a shorter wait may be missed. 0.2 % of a core. */
const SAMPLE_MS = 100

/**
 * How long things waited for the event loop of this process. perf_hooks has a monitor of its own, which forgets when its
 * last sample was whenever it is reset, and so misses what happens then.
 */
export class EventLoopLag {
  readonly #timer: NodeJS.Timeout
  /** The longest of each of the last spans. */
  readonly #longestMs: number[]
  #span = 0
  #sampledMs = performance.now()

  /** `spans` is how many calls of `takeMs` a peak is remembered for. */
  constructor(spans: number) {
    this.#longestMs = Array(spans).fill(0)
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref()
  }

  /** Ends a span, and tells the longest wait of the last ones in milliseconds. To be called at regular times. */
  takeMs(): number {
    this.#note(performance.now())
    const longestMs = Math.max(...this.#longestMs)
    this.#span = (this.#span + 1) % this.#longestMs.length
    this.#longestMs[this.#span] = 0
    return longestMs
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const nowMs = performance.now()
    this.#note(nowMs)
    this.#sampledMs = nowMs
  }

  #note(nowMs: number): void {
    const lateMs = nowMs - this.#sampledMs - SAMPLE_MS
    if (lateMs > (this.#longestMs[this.#span] ?? 0)) this.#longestMs[this.#span] = lateMs
  }
}
