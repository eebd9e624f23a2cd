import type { ResponseHead } from '../../exchange.ts'
import { type HeaderList, NO_HEADERS } from '../../header-list.ts'
import { ChunkLine } from './chunk-line.ts'
import { FieldBlock } from './field-block.ts'
import { parseFieldLines } from './field-lines.ts'
import { MalformedResponse } from './malformed-response.ts'
import { type ParsedHead, parseResponseHead, STATUS_LINE_START } from './response-head.ts'

const MAX_INTERIM = 64
const EMPTY_LINE_LENGTH = 2

const OVER = 0
const HEAD = 1
const SIZED_BODY = 2
const CHUNK_LINE = 3
const CHUNK_DATA = 4
const TRAILERS = 5
const BODY_TO_CLOSE = 6

/** Order: `interim`*, `head`, `data`*. The end shows in `isOver`. */
export interface ResponseReceiver {
  /** A 1xx other than 101. */
  interim(head: ResponseHead): void
  head(head: ResponseHead): void
  /** Bytes of the body, valid during the call only; at most once in a `read`. */
  data(bytes: Buffer, start: number, end: number): void
}

/** Reads one response after another off a connection; however the bytes are split over reads, the messages are the same. */
export class ResponseReader {
  /** Of the response that ended last. */
  trailers: HeaderList = NO_HEADERS
  /** A byte of the response under way has come. */
  hasBegun = false
  /** How long the connection may be idle after this response; 0: it must not carry another request. */
  keptMs = 0
  readonly #block = new FieldBlock()
  readonly #chunkLine = new ChunkLine()
  #receiver: ResponseReceiver | undefined
  #phase = OVER
  #isHead = false
  #interimCount = 0
  /** Of the body, or of the chunk. */
  #leftBytes = 0
  /** Where the body's bytes of this read stand, without what was between them; the end is 0 where there are none. */
  #dataStart = 0
  #dataEnd = 0

  /** The response ended, or nobody wants the rest of it. */
  get isOver(): boolean {
    return this.#phase === OVER
  }

  /** Expects the response to a request of this method. */
  begin(receiver: ResponseReceiver, method: string): void {
    this.#receiver = receiver
    this.#isHead = method === 'HEAD'
    this.#phase = HEAD
    this.#interimCount = 0
    this.#block.reset()
    this.trailers = NO_HEADERS
    this.hasBegun = false
  }

  /** Nothing more is told. */
  stop(): void {
    this.#phase = OVER
    this.#receiver = undefined
  }

  /**
   * Takes bytes from `start` on and returns the index behind the last one of this response, or `end`. It may move them about,
   * to tell of the data of many small chunks at once. Throws MalformedResponse; the connection is of no use then.
   */
  read(bytes: Buffer, start: number, end: number): number {
    this.hasBegun = true
    this.#dataEnd = 0
    let at = start
    while (at < end && this.#phase !== OVER) at = this.#readPart(bytes, at, end)
    if (this.#dataEnd > 0) this.#receiver?.data(bytes, this.#dataStart, this.#dataEnd)
    return at
  }

  /** The backend sends no more. True where that is how this response ends. */
  close(): boolean {
    if (this.#phase !== BODY_TO_CLOSE) return false
    this.stop()
    return true
  }

  #readPart(bytes: Buffer, start: number, end: number): number {
    switch (this.#phase) {
      case HEAD:
        return this.#readHead(bytes, start, end)
      case CHUNK_LINE:
        return this.#readChunkLine(bytes, start, end)
      case TRAILERS:
        return this.#readTrailers(bytes, start, end)
      default:
        return this.#readBody(bytes, start, end)
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const next = this.#block.read(bytes, start, end)
    if (next === -1) {
      if (!this.#block.mayStartWith(STATUS_LINE_START)) throw new MalformedResponse('no status line')
      return end
    }
    const parsed = parseResponseHead(this.#block.text)
    if (parsed.head.status < 200) this.#passInterim(parsed)
    else this.#passHead(parsed)
    return next
  }

  #passInterim(parsed: ParsedHead): void {
    const { status } = parsed.head
    if (status === 101) throw new MalformedResponse('101 to a request without Upgrade')
    if (++this.#interimCount > MAX_INTERIM) throw new MalformedResponse(`more than ${MAX_INTERIM} interim responses`)
    // RFC 9112 §6.3: it has no body whatever it says, but who says so is not to be trusted with the end of the next.
    if (parsed.isChunked || parsed.lengthBytes > 0) throw new MalformedResponse('body announced with status', status)
    this.#receiver?.interim(parsed.head)
  }

  #passHead(parsed: ParsedHead): void {
    const { status } = parsed.head
    this.keptMs = parsed.keptMs
    this.#leftBytes = parsed.lengthBytes
    // RFC 9110 §8.6: a 204 that announces a body may well send it.
    if (status === 204 && (parsed.isChunked || parsed.lengthBytes > 0)) this.keptMs = 0
    const isBodyless = this.#isHead || status === 204 || status === 304 || parsed.lengthBytes === 0
    if (isBodyless) this.#phase = OVER
    else if (parsed.isChunked) this.#startChunk(false)
    else if (parsed.lengthBytes > 0) this.#phase = SIZED_BODY
    else this.#startBodyToClose()
    this.#receiver?.head(parsed.head)
  }

  #startBodyToClose(): void {
    this.keptMs = 0
    this.#phase = BODY_TO_CLOSE
  }

  #startChunk(afterChunk: boolean): void {
    this.#chunkLine.reset(afterChunk)
    this.#phase = CHUNK_LINE
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const next = this.#phase === BODY_TO_CLOSE ? end : Math.min(end, start + this.#leftBytes)
    if (this.#dataEnd === 0) {
      this.#dataStart = start
      this.#dataEnd = next
    } else {
      bytes.copyWithin(this.#dataEnd, start, next)
      this.#dataEnd += next - start
    }
    this.#leftBytes -= next - start
    if (this.#leftBytes === 0 && this.#phase === SIZED_BODY) this.#phase = OVER
    else if (this.#leftBytes === 0 && this.#phase === CHUNK_DATA) this.#startChunk(true)
    return next
  }

  #readChunkLine(bytes: Buffer, start: number, end: number): number {
    const next = this.#chunkLine.read(bytes, start, end)
    if (next === -1) return end
    this.#leftBytes = this.#chunkLine.sizeBytes
    this.#phase = this.#leftBytes === 0 ? TRAILERS : CHUNK_DATA
    return next
  }

  #readTrailers(bytes: Buffer, start: number, end: number): number {
    const next = this.#block.read(bytes, start, end)
    if (next === -1) return end
    const { text } = this.#block
    if (text.length > EMPTY_LINE_LENGTH) this.trailers = parseFieldLines(text, 0)
    this.#phase = OVER
    return next
  }
}
