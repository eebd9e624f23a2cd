/** From this many bytes in one read on, memory of its own costs less than a copy. */
const BULK_BYTES = 16_384

/**
 * Where a connection reads into. Small reads go to a buffer that is used again and again, and what outlives them is copied
 * out; while a body comes in bulk, reads have memory of their own, which is handed on as it is.
 */
export class ReadBuffer {
  readonly #home: Buffer
  #current: Buffer
  #isTaken = false

  /** `home` may be shared by connections that read in turns, each done with its bytes before the next one reads. */
  constructor(home: Buffer) {
    this.#home = home
    this.#current = home
  }

  get current(): Buffer {
    return this.#current
  }

  /** Part of what was read last was handed on without a copy. */
  get isTaken(): boolean {
    return this.#isTaken
  }

  /** Chooses where the next read goes. `isInBody`: more of a body may come; `isFree`: nobody needs what was taken any more. */
  turn(lastReadBytes: number, isInBody: boolean, isFree: boolean): Buffer {
    const isBulk = isInBody && lastReadBytes >= BULK_BYTES
    if (!isBulk) this.#current = this.#home
    else if (this.#current === this.#home || (this.#isTaken && !isFree)) {
      this.#current = Buffer.allocUnsafeSlow(this.#home.length)
    }
    this.#isTaken = false
    return this.#current
  }

  /** These bytes for as long as anybody wants them. */
  take(bytes: Buffer, start: number, end: number): Buffer {
    if (bytes !== this.#home && end - start >= bytes.length / 4) {
      this.#isTaken = true
      return bytes.subarray(start, end)
    }
    const copy = Buffer.allocUnsafe(end - start)
    bytes.copy(copy, 0, start, end)
    return copy
  }
}
