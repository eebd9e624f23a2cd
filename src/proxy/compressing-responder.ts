import type { RequestHead, Responder, ResponderWatcher, ResponseHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'
import { type CompressionPlan, planHead } from './compression-plan.ts'
import { createEncoder, type Encoder } from './encoder.ts'
import type { ExchangeLog } from './exchange-log.ts'

/** How long an encoder may keep what it was given, so that a body that is made slowly is not read late. */
const LET_OUT_MS = 20

/**
 * Stands before another responder and compresses what may be compressed. It holds no more than the encoder does: where
 * the client takes no more, the encoder stops, and where that is full, so does the sender.
 */
export class CompressingResponder implements Responder, ResponderWatcher {
  readonly #inner: Responder
  readonly #plan: CompressionPlan
  readonly #request: RequestHead
  readonly #log: ExchangeLog
  #watcher: ResponderWatcher | undefined
  /** Undefined where the body goes as it is. */
  #encoder: Encoder | undefined
  #isLive = false
  #isCut = false
  #timer: NodeJS.Timeout | undefined

  constructor(inner: Responder, plan: CompressionPlan, request: RequestHead, log: ExchangeLog) {
    this.#inner = inner
    this.#plan = plan
    this.#request = request
    this.#log = log
  }

  get headSent(): boolean {
    return this.#inner.headSent
  }

  watch(watcher: ResponderWatcher): void {
    this.#watcher = watcher
    this.#inner.watch(this)
  }

  inform(status: number, headers: HeaderList): void {
    this.#inner.inform(status, headers)
  }

  head(given: ResponseHead): void {
    const { head, coding, isLive } = planHead(this.#plan, this.#request, given)
    this.#inner.head(head)
    if (coding === undefined || this.#isCut) return
    this.#isLive = isLive
    this.#encoder = this.#begin(createEncoder(coding, isLive, this.#plan.level))
  }

  write(chunk: Buffer): boolean {
    if (this.#encoder === undefined) return this.#inner.write(chunk)
    if (this.#isCut || chunk.length === 0) return true
    if (!this.#isLive) this.#timer ??= setTimeout(() => this.#letOut(), LET_OUT_MS)
    return this.#encoder.stream.write(chunk)
  }

  /** The encoder reads chunks later. */
  hasConsumed(): boolean {
    return this.#encoder === undefined && this.#inner.hasConsumed?.() === true
  }

  end(trailers: HeaderList): void {
    clearTimeout(this.#timer)
    if (this.#encoder === undefined) {
      this.#inner.end(trailers)
      return
    }
    if (this.#isCut) return
    this.#encoder.stream.once('end', () => this.#inner.end(trailers))
    this.#encoder.stream.end()
  }

  abort(): void {
    this.#cut()
    this.#inner.abort()
  }

  drained(): void {
    if (this.#encoder === undefined) this.#watcher?.drained()
    else this.#encoder.stream.resume()
  }

  finished(): void {
    this.#watcher?.finished()
  }

  gone(reason: Reason): void {
    this.#cut()
    this.#watcher?.gone(reason)
  }

  #begin(encoder: Encoder): Encoder {
    const { stream } = encoder
    this.#log.encodedBytes = 0
    stream.on('data', (chunk: Buffer) => this.#pass(stream, chunk))
    stream.on('drain', () => this.#watcher?.drained())
    // It has no memory to work with.
    stream.on('error', () => {
      this.abort()
      this.#watcher?.gone('over_capacity')
    })
    return encoder
  }

  #pass(stream: Encoder['stream'], chunk: Buffer): void {
    this.#log.encodedBytes = (this.#log.encodedBytes ?? 0) + chunk.length
    if (!this.#inner.write(chunk)) stream.pause()
  }

  #letOut(): void {
    this.#timer = undefined
    this.#encoder?.flush()
  }

  /** What the encoder holds is freed now, not by the collector. */
  #cut(): void {
    this.#isCut = true
    clearTimeout(this.#timer)
    this.#encoder?.stream.destroy()
  }
}
