import { type HeaderList, NO_HEADERS } from '../header-list.ts'
import { ChunkLine } from './chunk-line.ts'
import { FieldBlock } from './field-block.ts'
import { parseFieldLines } from './field-lines.ts'

const EMPTY_LINE_LENGTH = 2

const OVER = 0
const SIZED = 1
const CHUNK_LINE = 2
const CHUNK_DATA = 3
const TRAILERS = 4
const TO_CLOSE = 5

/** Finds the body of one message after another in the bytes of a connection, however they are split over reads. */
export class BodyReader {
  /** Of the body that ended last. */
  trailers: HeaderList = NO_HEADERS
  /** Where the body's bytes of the last read stand, without what was between them. */
  dataStart = 0
  /** 0 where the last read had none. */
  dataEnd = 0
  // Most bodies are sized: what chunks need is made for the first of them.
  #chunkLine: ChunkLine | undefined
  #trailerBlock: FieldBlock | undefined
  #phase = OVER
  /** Of the body, or of the chunk. */
  #leftBytes = 0

  /** The body ended, or nobody wants the rest of it. */
  get isOver(): boolean {
    return this.#phase === OVER
  }

  /** Expects a body of that many bytes. */
  beginSized(lengthBytes: number): void {
    this.trailers = NO_HEADERS
    this.#leftBytes = lengthBytes
    this.#phase = lengthBytes > 0 ? SIZED : OVER
  }

  beginChunked(): void {
    this.trailers = NO_HEADERS
    this.#startChunk(false)
  }

  /** Expects a body that ends with its connection. */
  beginToClose(): void {
    this.trailers = NO_HEADERS
    this.#phase = TO_CLOSE
  }

  stop(): void {
    this.#phase = OVER
  }

  /** The sender sends no more. True where that is how the body ends. */
  close(): boolean {
    if (this.#phase !== TO_CLOSE) return false
    this.#phase = OVER
    return true
  }

  /**
   * Takes bytes from `start` on and returns the index behind the last one of this body, or `end`. It moves them about, so
   * that the data of many small chunks stand side by side. Throws MalformedMessage, for trailers over `maxTrailerBytes` too.
   */
  read(bytes: Buffer, start: number, end: number, maxTrailerBytes: number): number {
    this.dataEnd = 0
    let at = start
    while (at < end && this.#phase !== OVER) at = this.#readPart(bytes, at, end, maxTrailerBytes)
    return at
  }

  #readPart(bytes: Buffer, start: number, end: number, maxTrailerBytes: number): number {
    switch (this.#phase) {
      case CHUNK_LINE:
        return this.#readChunkLine(bytes, start, end)
      case TRAILERS:
        return this.#readTrailers(bytes, start, end, maxTrailerBytes)
      default:
        return this.#readData(bytes, start, end)
    }
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    const next = this.#phase === TO_CLOSE ? end : Math.min(end, start + this.#leftBytes)
    if (this.dataEnd === 0) {
      this.dataStart = start
      this.dataEnd = next
    } else {
      bytes.copyWithin(this.dataEnd, start, next)
      this.dataEnd += next - start
    }
    this.#leftBytes -= next - start
    if (this.#leftBytes === 0 && this.#phase === SIZED) this.#phase = OVER
    else if (this.#leftBytes === 0 && this.#phase === CHUNK_DATA) this.#startChunk(true)
    return next
  }

  #startChunk(afterChunk: boolean): void {
    this.#chunkLine ??= new ChunkLine()
    this.#chunkLine.reset(afterChunk)
    this.#phase = CHUNK_LINE
  }

  #readChunkLine(bytes: Buffer, start: number, end: number): number {
    const line = this.#chunkLine as ChunkLine
    const next = line.read(bytes, start, end)
    if (next === -1) return end
    this.#leftBytes = line.sizeBytes
    this.#phase = this.#leftBytes === 0 ? TRAILERS : CHUNK_DATA
    return next
  }

  #readTrailers(bytes: Buffer, start: number, end: number, maxTrailerBytes: number): number {
    this.#trailerBlock ??= new FieldBlock()
    const block = this.#trailerBlock
    const next = block.read(bytes, start, end, maxTrailerBytes)
    if (next === -1) return end
    const { text } = block
    block.reset()
    this.#phase = OVER
    if (text.length > EMPTY_LINE_LENGTH) this.trailers = parseFieldLines(text, 0)
    return next
  }
}
