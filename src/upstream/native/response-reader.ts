import type { ResponseHead } from '../../exchange.ts'
import type { HeaderList } from '../../header-list.ts'
import { BodyReader } from '../../http1/body-reader.ts'
import { FieldBlock } from '../../http1/field-block.ts'
import { MalformedMessage } from '../../http1/malformed-message.ts'
import { MAX_RESPONSE_HEAD_BYTES } from '../response-fault.ts'
import { type ParsedHead, parseResponseHead, STATUS_LINE_START } from './response-head.ts'

const MAX_INTERIM = 64

const OVER = 0
const HEAD = 1
const BODY = 2

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
  /** A byte of the response under way has come. */
  hasBegun = false
  /** How long the connection may be idle after this response; 0: it must not carry another request. */
  keptMs = 0
  readonly #block = new FieldBlock()
  readonly #body = new BodyReader()
  #receiver: ResponseReceiver | undefined
  #phase = OVER
  #isHead = false
  #interimCount = 0

  /** The response ended, or nobody wants the rest of it. */
  get isOver(): boolean {
    return this.#phase === OVER
  }

  /** Of the response that ended last. */
  get trailers(): HeaderList {
    return this.#body.trailers
  }

  /** Expects the response to a request of this method. */
  begin(receiver: ResponseReceiver, method: string): void {
    this.#receiver = receiver
    this.#isHead = method === 'HEAD'
    this.#phase = HEAD
    this.#interimCount = 0
    this.#block.reset()
    this.#body.beginSized(0)
    this.hasBegun = false
  }

  /** Nothing more is told. */
  stop(): void {
    this.#phase = OVER
    this.#body.stop()
    this.#receiver = undefined
  }

  /**
   * Takes bytes from `start` on and returns the index behind the last one of this response, or `end`. It may move them about,
   * to tell of the data of many small chunks at once. Throws MalformedMessage; the connection is of no use then.
   */
  read(bytes: Buffer, start: number, end: number): number {
    this.hasBegun = true
    let at = start
    while (at < end && this.#phase === HEAD) at = this.#readHead(bytes, at, end)
    return at < end && this.#phase === BODY ? this.#readBody(bytes, at, end) : at
  }

  /** The backend sends no more. True where that is how this response ends. */
  close(): boolean {
    if (!this.#body.close()) return false
    this.stop()
    return true
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const next = this.#block.read(bytes, start, end, MAX_RESPONSE_HEAD_BYTES)
    if (next === -1) {
      if (!this.#block.mayStartWith(STATUS_LINE_START)) throw new MalformedMessage('no status line')
      return end
    }
    const parsed = parseResponseHead(this.#block.text)
    if (parsed.head.status < 200) this.#passInterim(parsed)
    else this.#passHead(parsed)
    return next
  }

  #passInterim(parsed: ParsedHead): void {
    const { status } = parsed.head
    if (status === 101) throw new MalformedMessage('101 to a request without Upgrade')
    if (++this.#interimCount > MAX_INTERIM) throw new MalformedMessage(`more than ${MAX_INTERIM} interim responses`)
    // RFC 9112 §6.3: it has no body whatever it says, but who says so is not to be trusted with the end of the next.
    if (parsed.isChunked || parsed.lengthBytes > 0) throw new MalformedMessage('body announced with status', status)
    this.#receiver?.interim(parsed.head)
  }

  #passHead(parsed: ParsedHead): void {
    const { status } = parsed.head
    this.keptMs = parsed.keptMs
    // RFC 9110 §8.6: a 204 that announces a body may well send it.
    if (status === 204 && (parsed.isChunked || parsed.lengthBytes > 0)) this.keptMs = 0
    const isBodyless = this.#isHead || status === 204 || status === 304 || parsed.lengthBytes === 0
    if (!isBodyless) this.#beginBody(parsed)
    this.#phase = isBodyless ? OVER : BODY
    this.#receiver?.head(parsed.head)
  }

  #beginBody({ isChunked, lengthBytes }: ParsedHead): void {
    if (isChunked) this.#body.beginChunked()
    else if (lengthBytes > 0) this.#body.beginSized(lengthBytes)
    else {
      this.keptMs = 0
      this.#body.beginToClose()
    }
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const body = this.#body
    const next = body.read(bytes, start, end, MAX_RESPONSE_HEAD_BYTES)
    if (body.isOver) this.#phase = OVER
    if (body.dataEnd > 0) this.#receiver?.data(bytes, body.dataStart, body.dataEnd)
    return next
  }
}
