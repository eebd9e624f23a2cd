import { MalformedMessage } from './malformed-message.ts'
import { BACKSLASH, CR, EQUALS, FIELD_TEXT, LF, QUOTE, SEMICOLON, TOKEN } from './octets.ts'

const MAX_LINE_BYTES = 1_024
const MAX_SIZE_BEFORE_DIGIT = 2 ** 48

const BREAK_CR = 0
const BREAK_LF = 1
const FIRST_DIGIT = 2
const DIGITS = 3
const NAME_START = 4
const NAME = 5
const VALUE_START = 6
const VALUE = 7
const QUOTED = 8
const QUOTED_PAIR = 9
const QUOTED_END = 10
const LINE_LF = 11

/**
 * The line before a chunk, from any number of reads: its size, and extensions, which are skipped (RFC 9112 §7.1). Throws
 * MalformedMessage for anything else, blanks around the parts of an extension among it, and for a line over 1 KB or a size
 * beyond 2^52.
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
        if (!this.#endsPart(byte)) this.#addDigit(byte)
        return false
      case LINE_LF:
        this.#expect(byte, LF, LINE_LF)
        return true
      default:
        this.#takeExtension(byte)
        return false
    }
  }

  #takeExtension(byte: number): void {
    switch (this.#phase) {
      case NAME:
        if (this.#endsPart(byte)) return
        if (byte === EQUALS) this.#phase = VALUE_START
        else this.#expectIn(TOKEN, byte, NAME)
        return
      case VALUE_START:
        if (byte === QUOTE) this.#phase = QUOTED
        else this.#expectIn(TOKEN, byte, VALUE)
        return
      case VALUE:
        if (!this.#endsPart(byte)) this.#expectIn(TOKEN, byte, VALUE)
        return
      case QUOTED:
        if (byte === QUOTE) this.#phase = QUOTED_END
        else this.#expectIn(FIELD_TEXT, byte, byte === BACKSLASH ? QUOTED_PAIR : QUOTED)
        return
      case QUOTED_PAIR:
        this.#expectIn(FIELD_TEXT, byte, QUOTED)
        return
      case QUOTED_END:
        if (!this.#endsPart(byte)) throw new MalformedMessage('chunk extension with', String.fromCharCode(byte))
        return
      default:
        this.#expectIn(TOKEN, byte, NAME)
    }
  }

  /** The size, or an extension, is over with this byte. */
  #endsPart(byte: number): boolean {
    if (byte !== CR && byte !== SEMICOLON) return false
    this.#phase = byte === CR ? LINE_LF : NAME_START
    return true
  }

  #expectIn(table: Uint8Array, byte: number, next: number): void {
    if (table[byte] !== 1) throw new MalformedMessage('chunk extension with', String.fromCharCode(byte))
    this.#phase = next
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
