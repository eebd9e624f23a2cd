import type { Duplex } from 'node:stream'
import type { ResponseHead } from '../../src/exchange.ts'
import type { HeaderList } from '../../src/header-list.ts'
import type { UpgradeSink, UpstreamFailure } from '../../src/upstream/engine.ts'

/** Writes down what an engine tells, and checks the order in which it may be told. */
export class RecordingSink implements UpgradeSink {
  readonly calls: string[] = []
  readonly connects: number[] = []
  readonly informs: { status: number; headers: HeaderList }[] = []
  readonly chunks: Buffer[] = []
  receivedBytes = 0
  received: ResponseHead | undefined
  trailers: HeaderList | undefined
  failure: UpstreamFailure | undefined
  socket: Duplex | undefined
  first: Buffer | undefined
  /** `data` answers false from this many bytes on. */
  holdAtBytes = Number.POSITIVE_INFINITY
  /** Set it to keep large bodies out of memory. */
  onChunk: ((chunk: Buffer) => void) | undefined
  readonly #opened = Promise.withResolvers<void>()
  readonly #head = Promise.withResolvers<ResponseHead>()
  readonly #over = Promise.withResolvers<void>()
  readonly #held = Promise.withResolvers<void>()

  /** Resolves with the first call that ends the attempt. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  get opened(): Promise<void> {
    return this.#opened.promise
  }

  get headReceived(): Promise<ResponseHead> {
    return this.#head.promise
  }

  /** Resolves when `data` first answered false. */
  get held(): Promise<void> {
    return this.#held.promise
  }

  get isOver(): boolean {
    return this.trailers !== undefined || this.failure !== undefined || this.socket !== undefined
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  connected(connectMs: number): void {
    this.#note('connected')
    this.connects.push(connectMs)
    this.#opened.resolve()
  }

  inform(status: number, headers: HeaderList): void {
    this.#note('inform')
    this.informs.push({ status, headers })
  }

  head(head: ResponseHead): void {
    if (this.received !== undefined) throw new Error('a second head')
    this.#note('head')
    this.received = head
    this.#head.resolve(head)
  }

  data(chunk: Buffer): boolean {
    if (this.received === undefined) throw new Error('data before head')
    this.#note('data')
    this.receivedBytes += chunk.length
    if (this.onChunk === undefined) this.chunks.push(chunk)
    else this.onChunk(chunk)
    if (this.receivedBytes < this.holdAtBytes) return true
    this.#held.resolve()
    return false
  }

  end(trailers: HeaderList): void {
    if (this.received === undefined) throw new Error('end before head')
    this.#note('end')
    this.trailers = trailers
    this.#over.resolve()
  }

  fail(failure: UpstreamFailure): void {
    this.#note('fail')
    this.failure = failure
    this.#over.resolve()
  }

  switched(head: ResponseHead, socket: Duplex, first: Buffer): void {
    this.#note('switched')
    this.received = head
    this.socket = socket
    this.first = first
    this.#over.resolve()
  }

  #note(call: string): void {
    if (this.isOver) throw new Error(`${call} after the end`)
    if (this.calls.at(-1) !== call) this.calls.push(call)
  }
}
