import type { BodySink, BodySource } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'

/** The connection that a body comes over. */
export interface BodyHost {
  /** From now on the body takes what comes, and what came already. */
  bodyWanted(): void
}

/** The body of one request. Not a byte of it is read before it is started. */
export class RequestBody implements BodySource {
  readonly lengthBytes: number | undefined
  /** Everything was read off the connection, if not by the sink. */
  hasArrived = false
  readonly #host: BodyHost
  #sink: BodySink | undefined
  /** Still asked when it is told nothing any more. */
  #consumer: BodySink | undefined
  #failure: { readonly reason: Reason; readonly cause: Error | undefined } | undefined
  #phase: 'waiting' | 'flowing' | 'paused' | 'over' = 'waiting'
  /** The end came while it was paused. */
  #trailers: HeaderList | undefined
  // Chunks only raise a flag; the clock is read by `check`, which all connections share.
  #moved = false
  #sinceMs = 0

  constructor(host: BodyHost, lengthBytes: number | undefined) {
    this.#host = host
    this.lengthBytes = lengthBytes
  }

  /** Nobody asked for it yet. */
  get isWaiting(): boolean {
    return this.#phase === 'waiting'
  }

  get isFlowing(): boolean {
    return this.#phase === 'flowing'
  }

  start(sink: BodySink): void {
    if (this.#failure !== undefined) {
      const { reason, cause } = this.#failure
      process.nextTick(() => sink.fail(reason, cause))
      return
    }
    if (this.#phase !== 'waiting') return
    this.#sink = sink
    this.#consumer = sink
    this.#flow()
  }

  pause(): void {
    if (this.#phase === 'flowing') this.#phase = 'paused'
  }

  resume(): void {
    if (this.#phase !== 'paused') return
    if (this.#trailers !== undefined) this.#close()?.end(this.#trailers)
    else this.#flow()
  }

  data(chunk: Buffer): void {
    this.#moved = true
    this.#sink?.data(chunk)
  }

  end(trailers: HeaderList): void {
    if (this.#phase === 'paused') this.#trailers = trailers
    else this.#close()?.end(trailers)
  }

  /** Whether the memory of all chunks so far may be used again. */
  hasConsumed(): boolean {
    return this.#consumer === undefined || this.#consumer.hasConsumed?.() === true
  }

  /** A body that was not started yet fails when it is. */
  fail(reason: Reason, cause?: Error): void {
    if (this.#phase === 'over') return
    this.#failure = { reason, cause }
    this.#close()?.fail(reason, cause)
  }

  /** Fails a body whose sender was silent for that long while the sink wanted more. 0: no limit. */
  check(nowMs: number, idleMs: number): void {
    if (this.#phase !== 'flowing' || idleMs === 0) return
    if (this.#moved) {
      this.#moved = false
      this.#sinceMs = nowMs
    } else if (nowMs - this.#sinceMs >= idleMs) this.fail('idle_timeout')
  }

  #flow(): void {
    this.#phase = 'flowing'
    this.#moved = true
    this.#host.bodyWanted()
  }

  #close(): BodySink | undefined {
    const sink = this.#sink
    this.#phase = 'over'
    this.#sink = undefined
    return sink
  }
}
