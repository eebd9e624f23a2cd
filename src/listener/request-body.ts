import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodySink, BodySource } from '../exchange.ts'
import type { Reason } from '../reason.ts'

const BODY = Symbol('body of a request')

// The stream's listeners are shared by all requests and find their body through the message.
interface MessageWithBody extends IncomingMessage {
  [BODY]?: RequestBody | undefined
}

/** The body of one request, as node:http frames it. Not a byte of it is read before it is started. */
export class RequestBody implements BodySource {
  readonly lengthBytes: number | undefined
  readonly #message: MessageWithBody
  /** Gets 100 Continue when the body is started; undefined where the client does not wait for it. */
  readonly #awaited: ServerResponse | undefined
  #sink: BodySink | undefined
  #failure: { readonly reason: Reason; readonly cause: Error | undefined } | undefined
  #phase: 'waiting' | 'flowing' | 'paused' | 'over' = 'waiting'
  // Chunks only raise a flag; the clock is read by `check`, which all connections share.
  #moved = false
  #sinceMs = 0

  constructor(message: IncomingMessage, lengthBytes: number | undefined, awaited: ServerResponse | undefined) {
    this.#message = message
    this.lengthBytes = lengthBytes
    this.#awaited = awaited
  }

  /** Everything was read off the connection, if not by the sink. */
  get hasArrived(): boolean {
    return this.#message.complete
  }

  start(sink: BodySink): void {
    if (this.#failure !== undefined) {
      const { reason, cause } = this.#failure
      process.nextTick(() => sink.fail(reason, cause))
      return
    }
    if (this.#phase !== 'waiting') return
    this.#phase = 'flowing'
    this.#moved = true
    this.#sink = sink
    this.#message[BODY] = this
    if (this.#awaited?.headersSent === false) this.#awaited.writeContinue()
    this.#message.on('data', onData)
    this.#message.on('end', onEnd)
  }

  pause(): void {
    if (this.#phase !== 'flowing') return
    this.#phase = 'paused'
    this.#message.pause()
  }

  resume(): void {
    if (this.#phase !== 'paused') return
    this.#phase = 'flowing'
    this.#moved = true
    this.#message.resume()
  }

  data(chunk: Buffer): void {
    this.#moved = true
    this.#sink?.data(chunk)
  }

  end(): void {
    const sink = this.#close()
    sink?.end(this.#message.rawTrailers)
  }

  /** A body that was not started yet fails when it is. */
  fail(reason: Reason, cause?: Error): void {
    if (this.#phase === 'over') return
    this.#failure = { reason, cause }
    const sink = this.#close()
    sink?.fail(reason, cause)
  }

  /** Fails a body whose sender was silent for that long while the sink wanted more. 0: no limit. */
  check(nowMs: number, idleMs: number): void {
    if (this.#phase !== 'flowing' || idleMs === 0) return
    if (this.#moved) {
      this.#moved = false
      this.#sinceMs = nowMs
    } else if (nowMs - this.#sinceMs >= idleMs) this.fail('idle_timeout')
  }

  /** The exchange is over: what nobody read of the body runs through, so that the connection can be read to its end. */
  release(): void {
    if (this.#phase === 'over' && this.#failure === undefined) return
    this.fail('client_gone')
    this.#message.resume()
  }

  #close(): BodySink | undefined {
    const sink = this.#sink
    this.#phase = 'over'
    this.#sink = undefined
    this.#message[BODY] = undefined
    this.#message.off('data', onData)
    this.#message.off('end', onEnd)
    return sink
  }
}

function onData(this: MessageWithBody, chunk: Buffer): void {
  this[BODY]?.data(chunk)
}

function onEnd(this: MessageWithBody): void {
  this[BODY]?.end()
}
