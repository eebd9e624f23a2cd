import type { ClientRequest } from 'node:http'
import type { BodySink, BodySource } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'
import { RequestBodyError, toError } from './failure.ts'

/** Feeds a body to a request, no faster than the backend takes it. */
export class RequestBody implements BodySink {
  readonly #source: BodySource
  readonly #client: ClientRequest
  readonly #onFailure: (error: Error) => void
  #sentBytes = 0
  #full = false
  #ended = false

  constructor(source: BodySource, client: ClientRequest, onFailure: (error: Error) => void) {
    this.#source = source
    this.#client = client
    this.#onFailure = onFailure
  }

  /** True once the last byte was handed to the request. */
  get ended(): boolean {
    return this.#ended
  }

  /** True while it is the backend that takes no more. */
  get isFull(): boolean {
    return this.#full
  }

  start(): void {
    this.#client.on('drain', () => this.#drain())
    this.#source.start(this)
  }

  /** Takes nothing more from the source. */
  stop(): void {
    if (this.#ended) return
    this.#ended = true
    this.#source.pause()
  }

  data(chunk: Buffer): void {
    if (this.#ended) return
    const { lengthBytes } = this.#source
    this.#sentBytes += chunk.length
    if (lengthBytes !== undefined && this.#sentBytes > lengthBytes) {
      this.#onFailure(new Error(`request body is longer than the announced ${lengthBytes} bytes`))
      return
    }
    this.#full = !this.#client.write(chunk)
    // The backend may answer the last byte before the source has told its end.
    if (this.#sentBytes === lengthBytes) this.#finish()
    else if (this.#full) this.#source.pause()
  }

  end(trailers: HeaderList): void {
    if (this.#ended) return
    const { lengthBytes } = this.#source
    if (lengthBytes !== undefined) {
      this.#onFailure(new Error(`request body ended at ${this.#sentBytes} of ${lengthBytes} bytes`))
      return
    }
    try {
      if (trailers.length > 0) this.#client.addTrailers(toPairs(trailers))
    } catch (error) {
      this.#onFailure(toError(error))
      return
    }
    this.#finish()
  }

  fail(reason: Reason, cause?: Error): void {
    if (!this.#ended) this.#onFailure(new RequestBodyError(reason, cause))
  }

  #finish(): void {
    this.#ended = true
    this.#client.end()
  }

  #drain(): void {
    if (!this.#full || this.#ended) return
    this.#full = false
    this.#source.resume()
  }
}

function toPairs(headers: HeaderList): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? ''])
  return pairs
}
