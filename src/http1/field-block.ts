import { MalformedMessage, OversizedBlock } from './malformed-message.ts'
import { CR, LF } from './octets.ts'

const NOTHING: Buffer = Buffer.alloc(0)
const FIRST_BYTES = 1_024

/**
 * Gathers a block of lines, a head or trailers, until the empty line that ends it, from any number of reads. A block that
 * comes in one read is never copied. Throws MalformedMessage for a line that ends in LF alone.
 */
export class FieldBlock {
  /** The whole block with its empty line, as latin1; valid once `read` has found its end. */
  text = ''
  #kept = NOTHING
  #keptBytes = 0
  /** Bytes of the line under way, its CR included. */
  #lineBytes = 0
  #lastByte = 0

  /** True where a part of a block is waiting for the rest. */
  get isPartial(): boolean {
    return this.#keptBytes > 0
  }

  reset(): void {
    this.text = ''
    this.#kept = NOTHING
    this.#keptBytes = 0
    this.#lineBytes = 0
    this.#lastByte = 0
  }

  /**
   * Reads on from `start`; returns the index behind the block, or -1 where it goes on beyond `end`. Throws OversizedBlock
   * for a block of more than `maxBytes`.
   */
  read(bytes: Buffer, start: number, end: number, maxBytes: number): number {
    const limit = Math.min(end, start + maxBytes - this.#keptBytes)
    let lineBytes = this.#lineBytes
    let lastByte = this.#lastByte
    for (let at = start; at < limit; at++) {
      const byte = bytes[at] as number
      if (byte !== LF) {
        lineBytes++
      } else if (lastByte !== CR) {
        throw new MalformedMessage('line that ends in LF alone')
      } else if (lineBytes > 1) {
        lineBytes = 0
      } else {
        this.#finish(bytes, start, at + 1)
        return at + 1
      }
      lastByte = byte
    }
    if (limit < end) throw new OversizedBlock(maxBytes)
    this.#keep(bytes, start, end)
    this.#lineBytes = lineBytes
    this.#lastByte = lastByte
    return -1
  }

  /** True where what was gathered so far may become a block that begins with `text`. */
  mayStartWith(text: string): boolean {
    const count = Math.min(text.length, this.#keptBytes)
    return this.#kept.toString('latin1', 0, count) === text.slice(0, count)
  }

  #finish(bytes: Buffer, start: number, end: number): void {
    if (this.#keptBytes === 0) {
      this.text = bytes.toString('latin1', start, end)
      return
    }
    this.#keep(bytes, start, end)
    const text = this.#kept.toString('latin1', 0, this.#keptBytes)
    this.reset()
    this.text = text
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const total = this.#keptBytes + end - start
    if (total > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, 2 * total))
      this.#kept.copy(grown, 0, 0, this.#keptBytes)
      this.#kept = grown
    }
    bytes.copy(this.#kept, this.#keptBytes, start, end)
    this.#keptBytes = total
  }
}
