import type { Socket } from 'node:net'
import type { ClientLimits } from '../config/config.ts'
import { MalformedMessage } from '../http1/malformed-message.ts'
import type { ByteReceiver, ClientInput } from './client-input.ts'
import type { MemoryPool } from './memory-pool.ts'
import type { RequestBody } from './request-body.ts'
import { findBarredTrailer } from './request-framing.ts'
import { type RefusedRequest, RequestReader, type SoundRequest } from './request-reader.ts'
import { UnreadBytes } from './unread-bytes.ts'

/** Who answers the requests. */
export interface IntakeHost {
  readonly limits: ClientLimits
  /** A request is being answered: the next one waits. */
  readonly isBusy: boolean
  /** `isHasty`: it came in one piece with another one, or before that was answered. */
  begin(request: SoundRequest, isHasty: boolean): void
  refuse(request: RefusedRequest): void
  /** A part of a head came, and is the first of it. */
  headBegun(): void
  /** All that came was taken. */
  emptied(): void
}

/** Takes one request after another, each with its body, from the bytes of a connection. */
export class RequestIntake implements ByteReceiver {
  /** Of the request under way. */
  body: RequestBody | undefined
  readonly #host: IntakeHost
  readonly #unread: UnreadBytes
  readonly #reader = new RequestReader()
  #isHasty = false
  #isTaking = false
  #isDeaf = false

  constructor(host: IntakeHost, socket: Socket, input: ClientInput, pool: MemoryPool) {
    this.#host = host
    this.#unread = new UnreadBytes(socket, input.buffer, pool)
    input.receiver = this
  }

  /** Nothing waits for the request under way to be over. */
  get isEmpty(): boolean {
    return this.#unread.isEmpty
  }

  /** A part of a head came. */
  get isInHead(): boolean {
    return this.#reader.hasBegun
  }

  get isInBody(): boolean {
    return !this.#reader.body.isOver
  }

  get hasConsumed(): boolean {
    return this.body?.hasConsumed() !== false
  }

  received(bytes: Buffer, start: number, end: number): boolean {
    if (this.#isDeaf) return true
    if (!this.#host.isBusy) this.#isHasty = false
    this.#unread.offer(bytes, start, end)
    this.take()
    this.#unread.keep()
    return true
  }

  /** Goes on with what waits: the request is over, or its body wanted. */
  take(): void {
    if (this.#isTaking) return
    this.#isTaking = true
    const unread = this.#unread
    while (!unread.isEmpty && !this.#isDeaf) {
      if (!this.#host.isBusy) this.#takeHead()
      else if (this.body?.isFlowing === true) this.#takeBody(this.body)
      else break
    }
    this.#isTaking = false
    if (!unread.isEmpty || this.#isDeaf) return
    unread.resume()
    this.#host.emptied()
  }

  /** The request under way is over. */
  endRequest(): void {
    this.#unread.reuse(this.hasConsumed)
    this.body = undefined
  }

  /** Reads past what came already of a body that nobody asked for. True where the body has come to its end. */
  skipBody(): boolean {
    const { body } = this
    if (body === undefined || body.hasArrived) return true
    if (!body.isWaiting || this.isEmpty) return false
    try {
      this.#readBody(body)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      this.deafen()
    }
    if (body.hasArrived) body.fail('client_gone')
    return body.hasArrived
  }

  /** Throws away what waits, and all that comes. */
  deafen(): void {
    this.#isDeaf = true
    this.#unread.clear()
  }

  /** What waits belongs to somebody else. */
  takeRest(): Buffer {
    const { bytes, at, end } = this.#unread
    this.deafen()
    return bytes.subarray(at, end)
  }

  #takeHead(): void {
    const unread = this.#unread
    const hadBegun = this.isInHead
    const request = this.#reader.readHead(unread.bytes, unread.at, unread.end, this.#host.limits)
    unread.at = this.#reader.next
    if (request === undefined) {
      if (!hadBegun && this.isInHead) this.#host.headBegun()
    } else if (request.kind === 'sound') {
      const isHasty = this.#isHasty
      this.#isHasty = true
      this.#host.begin(request, isHasty)
    } else this.#host.refuse(request)
  }

  #takeBody(body: RequestBody): void {
    const unread = this.#unread
    const { bytes } = unread
    try {
      this.#readBody(body)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      this.deafen()
      body.fail('bad_request', error)
      return
    }
    const { dataStart, dataEnd, isOver, trailers } = this.#reader.body
    if (dataEnd > 0) body.data(unread.copy(bytes, dataStart, dataEnd))
    if (isOver) body.end(trailers)
  }

  #readBody(body: RequestBody): void {
    const unread = this.#unread
    const { body: reader } = this.#reader
    unread.at = reader.read(unread.bytes, unread.at, unread.end, this.#host.limits.headerBytes)
    if (!reader.isOver) return
    const barred = findBarredTrailer(reader.trailers)
    if (barred !== undefined) throw new MalformedMessage('trailer', barred)
    body.hasArrived = true
  }
}
