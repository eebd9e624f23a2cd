import type { BodySink, BodySource } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'

/** A body that goes one way as if it went that way alone, and a copy of it that never holds it up. */
export class TeeBody implements BodySource, BodySink {
  readonly lengthBytes: number | undefined
  readonly copy: BodyCopy
  readonly #source: BodySource
  #sink: BodySink | undefined

  /** `limitBytes`: what of the copy may wait. */
  constructor(source: BodySource, limitBytes: number) {
    this.lengthBytes = source.lengthBytes
    this.copy = new BodyCopy(source.lengthBytes, limitBytes)
    this.#source = source
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
    this.copy.take(chunk)
    this.#sink?.data(chunk)
  }

  end(trailers: HeaderList): void {
    this.copy.close(trailers)
    this.#sink?.end(trailers)
  }

  fail(reason: Reason, cause?: Error): void {
    this.copy.giveUp()
    this.#sink?.fail(reason, cause)
  }
}

/** The other way. Falls behind only so far, and is given up then. */
export class BodyCopy implements BodySource {
  readonly lengthBytes: number | undefined
  /** Called once, where it will not be whole; nothing of it comes after that. */
  givenUp: () => void = () => {}
  readonly #limitBytes: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #sink: BodySink | undefined
  #isPaused = true
  #trailers: HeaderList | undefined
  #isOver = false

  constructor(lengthBytes: number | undefined, limitBytes: number) {
    this.lengthBytes = lengthBytes
    this.#limitBytes = limitBytes
  }

  start(sink: BodySink): void {
    this.#sink = sink
    this.#isPaused = false
    this.#flow()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#flow()
  }

  take(chunk: Buffer): void {
    if (this.#isOver) return
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    this.#flow()
    if (this.#waitingBytes > this.#limitBytes) this.giveUp()
  }

  close(trailers: HeaderList): void {
    this.#trailers = trailers
    this.#flow()
  }

  /** Without effect once all of it is here. */
  giveUp(): void {
    if (this.#isOver || this.#trailers !== undefined) return
    this.#isOver = true
    this.#waiting = []
    this.givenUp()
  }

  #flow(): void {
    const sink = this.#sink
    if (sink === undefined || this.#isOver) return
    while (!this.#isPaused && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift() as Buffer
      this.#waitingBytes -= chunk.length
      sink.data(chunk)
    }
    if (this.#waiting.length > 0 || this.#trailers === undefined) return
    this.#isOver = true
    sink.end(this.#trailers)
  }
}
