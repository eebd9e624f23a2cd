import type { BodySink, BodySource } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'

type BodyEnd =
  | { readonly kind: 'ended'; readonly trailers: HeaderList }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly cause: Error | undefined }

/** A body that can be sent again from its beginning as long as it is short enough. */
export class ReplayBody implements BodySource, BodySink {
  readonly lengthBytes: number | undefined
  readonly #source: BodySource
  readonly #limitBytes: number
  #kept: Buffer[] | undefined = []
  #seenBytes = 0
  #end: BodyEnd | undefined
  #sink: BodySink | undefined
  #hasStarted = false
  #isPaused = false

  constructor(source: BodySource, limitBytes: number) {
    this.lengthBytes = source.lengthBytes
    this.#source = source
    this.#limitBytes = limitBytes
  }

  /** False: what has left cannot be sent again. */
  get canRestart(): boolean {
    return this.#kept !== undefined
  }

  /** The attempt that takes it is over; what comes is kept for the next one. */
  detach(): void {
    this.#sink = undefined
    if (this.#hasStarted && this.#end === undefined) this.#source.pause()
  }

  start(sink: BodySink): void {
    this.#sink = sink
    if (!this.#hasStarted) {
      this.#hasStarted = true
      this.#source.start(this)
      return
    }
    this.#isPaused = false
    for (const chunk of this.#kept ?? []) sink.data(chunk)
    // The attempt may have ended within what it was given.
    if (this.#sink !== sink) return
    if (this.#end !== undefined) tellEnd(sink, this.#end)
    else if (!this.#isPaused) this.#source.resume()
  }

  pause(): void {
    this.#isPaused = true
    if (this.#sink !== undefined) this.#source.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#sink !== undefined) this.#source.resume()
  }

  data(chunk: Buffer): void {
    this.#seenBytes += chunk.length
    if (this.#sink !== undefined && this.#seenBytes > this.#limitBytes) this.#kept = undefined
    else this.#kept?.push(chunk)
    this.#sink?.data(chunk)
  }

  end(trailers: HeaderList): void {
    this.#finish({ kind: 'ended', trailers })
  }

  fail(reason: Reason, cause?: Error): void {
    this.#finish({ kind: 'failed', reason, cause })
  }

  #finish(end: BodyEnd): void {
    this.#end = end
    if (this.#sink !== undefined) tellEnd(this.#sink, end)
  }
}

function tellEnd(sink: BodySink, end: BodyEnd): void {
  if (end.kind === 'ended') sink.end(end.trailers)
  else sink.fail(end.reason, end.cause)
}
