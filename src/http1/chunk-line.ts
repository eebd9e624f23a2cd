import { MalformedMessage } from './malformed-message.ts'
import { CR, FIELD_TEXT, LF, SEMICOLON } from './octets.ts'

const MAX_LINE_BYTES = 1_024
const MAX_SIZE_BEFORE_DIGIT = 2 ** 48

const BREAK_CR = 0
const BREAK_LF = 1
const FIRST_DIGIT = 2
const DIGITS = 3
const EXTENSIONS = 4
const LINE_LF = 5

/**
 * The line before a chunk, from any number of reads: its size, and extensions, which are skipped (RFC 9112 §7.1).
 * Throws MalformedMessage for anything else, and for a line over 1 KB or a size beyond 2^52.
 */
export class ChunkLine {
  sizeBytes = 0
  #phase = FIRST_DIGIT
  #lineBytes = 0

  /** `afterChunk`: the line break that ends the data of the chunk before comes first. */
  reset(afterChunk: boolean): void {
    this.sizeBytes = 0
    this.#phase = afterChunk ? BREAK_CR : FIRST_DIGIT
    this.#lineBytes = 0
  }

  /** Reads on from `start`; returns the index behind the line, or -1 where it goes on beyond `end`. */
  read(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (++this.#lineBytes > MAX_LINE_BYTES) throw new MalformedMessage(`chunk line over ${MAX_LINE_BYTES} bytes`)
      if (this.#take(bytes[at] as number)) return at + 1
    }
    return -1
  }

  /** True with the last byte of the line. */
  #take(byte: number): boolean {
    switch (this.#phase) {
      case BREAK_CR:
        this.#expect(byte, CR, BREAK_LF)
        return false
      case BREAK_LF:
        this.#expect(byte, LF, FIRST_DIGIT)
        return false
      case FIRST_DIGIT:
        this.#addDigit(byte)
        this.#phase = DIGITS
        return false
      case DIGITS:
        if (byte === CR) this.#phase = LINE_LF
        else if (byte === SEMICOLON) this.#phase = EXTENSIONS
        else this.#addDigit(byte)
        return false
      case EXTENSIONS:
        if (byte === CR) this.#phase = LINE_LF
        else if (FIELD_TEXT[byte] !== 1) throw new MalformedMessage('control byte in a chunk extension', byte)
        return false
      default:
        this.#expect(byte, LF, LINE_LF)
        return true
    }
  }

  #expect(byte: number, expected: number, next: number): void {
    if (byte !== expected) throw new MalformedMessage(`byte ${byte} in place of a line break`)
    this.#phase = next
  }

  #addDigit(byte: number): void {
    const digit = hexDigit(byte)
    if (digit === -1) throw new MalformedMessage('chunk size with', String.fromCharCode(byte))
    if (this.sizeBytes >= MAX_SIZE_BEFORE_DIGIT) throw new MalformedMessage('chunk size beyond 2^52')
    this.sizeBytes = this.sizeBytes * 16 + digit
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
