import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often it is looked whether the event loop gets round: a wait that is shorter may be missed. */
const RESOLUTION_MS = 50
const NS_PER_MS = 1e6

/** How long things waited for the event loop of this process. */
export class EventLoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  /** The longest of each of the last spans. */
  readonly #longestMs: number[]
  #next = 0

  /** `spans` is how many calls of `takeMs` a peak is remembered for. */
  constructor(spans: number) {
    this.#longestMs = Array(spans).fill(0)
    this.#delays.enable()
  }

  /** Ends a span, and tells the longest wait of the last ones in milliseconds. To be called at regular times. */
  takeMs(): number {
    const longestMs = Math.max(0, this.#delays.max / NS_PER_MS - RESOLUTION_MS)
    this.#delays.reset()
    this.#longestMs[this.#next] = longestMs
    this.#next = (this.#next + 1) % this.#longestMs.length
    return Math.max(...this.#longestMs)
  }

  close(): void {
    this.#delays.disable()
  }
}
