/**
 * The one timer of a connection. Moving the deadline only notes the new time; a timer that wakes up too early is set
 * again. It keeps no process alive.
 */
export class Deadline {
  readonly #onExpired: () => void
  readonly #wake = () => this.#onWake()
  #atMs = Number.POSITIVE_INFINITY
  #wakesAtMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired
  }

  /** Expires that long from now, whatever was set before; 0: never. */
  set(ms: number): void {
    if (ms <= 0) {
      this.clear()
      return
    }
    this.#atMs = performance.now() + ms
    if (this.#atMs < this.#wakesAtMs) this.#wakeAfter(ms)
  }

  clear(): void {
    this.#atMs = Number.POSITIVE_INFINITY
  }

  /** Clears it and leaves no timer behind. */
  stop(): void {
    this.clear()
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
  }

  #wakeAfter(ms: number): void {
    clearTimeout(this.#timer)
    this.#wakesAtMs = this.#atMs
    this.#timer = setTimeout(this.#wake, Math.ceil(ms)).unref()
  }

  #onWake(): void {
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    if (this.#atMs === Number.POSITIVE_INFINITY) return
    const leftMs = this.#atMs - performance.now()
    if (leftMs > 0) {
      this.#wakeAfter(leftMs)
      return
    }
    this.clear()
    this.#onExpired()
  }
}
