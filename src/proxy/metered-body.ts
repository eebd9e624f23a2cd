import type { BodySink, BodySource } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'
import { filterTrailers } from './headers/trailers.ts'

/** Told of what a request body did on its way to the backend. */
export interface BodyWatcher {
  bodyBytes(count: number): void
  /** The client's side of the body failed, or it grew past the limit; the sink was told as well. */
  bodyFailed(reason: Reason): void
}

/** Passes a client's body on, counts it, and ends it where it grows past the limit. */
export class MeteredBody implements BodySource, BodySink {
  readonly lengthBytes: number | undefined
  #source: BodySource
  #watcher: BodyWatcher
  #limitBytes: number
  #sink: BodySink | undefined
  #seenBytes = 0
  #over = false

  /** `limitBytes` 0: no limit. */
  constructor(source: BodySource, limitBytes: number, watcher: BodyWatcher) {
    this.lengthBytes = source.lengthBytes
    this.#source = source
    this.#limitBytes = limitBytes
    this.#watcher = watcher
  }

  /** Some of it may have left: it cannot be sent a second time. */
  get hasStarted(): boolean {
    return this.#sink !== undefined
  }

  start(sink: BodySink): void {
    this.#sink = sink
    this.#source.start(this)
  }

  pause(): void {
    this.#source.pause()
  }

  resume(): void {
    this.#source.resume()
  }

  data(chunk: Buffer): void {
    if (this.#over) return
    this.#seenBytes += chunk.length
    if (this.#limitBytes > 0 && this.#seenBytes > this.#limitBytes) {
      this.fail('body_too_large')
      return
    }
    this.#watcher.bodyBytes(chunk.length)
    this.#sink?.data(chunk)
  }

  hasConsumed(): boolean {
    return this.#sink?.hasConsumed?.() === true
  }

  end(trailers: HeaderList): void {
    if (this.#over) return
    this.#over = true
    this.#sink?.end(filterTrailers(trailers))
  }

  fail(reason: Reason, cause?: Error): void {
    if (this.#over) return
    this.#over = true
    // The watcher aborts the attempt, so that the sink's own failure is never taken for the backend's.
    this.#watcher.bodyFailed(reason)
    this.#sink?.fail(reason, cause)
  }
}
