import type { ResponseHead } from '../../exchange.ts'
import { MalformedMessage } from '../../http1/malformed-message.ts'
import type { Attempt, ResponseSink, UpstreamReason, UpstreamRequest } from '../engine.ts'
import { type ConnectionPhase, explainFailure, explainThrown, toError, withMessage } from '../failure.ts'
import { isIdempotent } from '../framing.ts'
import type { Connection, ConnectionUser } from './connection.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { renderRequestHead } from './request-head.ts'
import type { ResponseReceiver } from './response-reader.ts'
import { Upload, type UploadHost } from './upload.ts'

/** One request, from the connection it takes to the last byte of its response. */
export class NativeCall implements Attempt, ConnectionUser, ResponseReceiver, UploadHost {
  readonly #pool: ConnectionPool
  readonly #request: UpstreamRequest
  readonly #sink: ResponseSink
  #head = ''
  #connection: Connection | undefined
  #upload: Upload | undefined
  #phase: ConnectionPhase = 'dialing'
  #startedMs = 0
  #isKept = false
  #isConnectionTold = false
  #isSent = false
  #isHeadReceived = false
  #isOver = false

  constructor(pool: ConnectionPool, request: UpstreamRequest, sink: ResponseSink) {
    this.#pool = pool
    this.#request = request
    this.#sink = sink
  }

  /** To be called once, after `request` has returned: from here on the sink may hear anything. */
  begin(): void {
    if (this.#isOver) return
    try {
      this.#head = renderRequestHead(this.#request)
    } catch (error) {
      this.#fail('bad_response', toError(error))
      return
    }
    this.#connection = this.#pool.take(this)
    if (this.#connection === undefined) {
      this.#dial()
      return
    }
    this.#isKept = true
    this.#open(0)
  }

  resume(): void {
    if (this.#isOver || this.#connection?.isHeld !== true) return
    this.#connection.resume()
    if (!this.#isOver) this.#limit()
  }

  abort(): void {
    if (this.#isOver) return
    this.#leave()
    this.#connection?.destroy()
  }

  handshaking(): void {
    this.#phase = 'handshake'
  }

  opened(): void {
    this.#open(performance.now() - this.#startedMs)
  }

  received(bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection
    if (connection === undefined) return
    let at: number
    try {
      at = connection.reader.read(bytes, start, end)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      this.#fail('bad_response', error)
      return
    }
    if (this.#isOver) return
    if (connection.reader.isOver) this.#complete(at < end)
    // An interim response does not put the response limit off.
    else if (this.#isHeadReceived || this.#isUploading) this.#limit()
  }

  hasConsumed(): boolean {
    return this.#sink.hasConsumed?.() === true
  }

  drained(): void {
    this.#upload?.drained()
  }

  ended(): void {
    if (this.#connection?.reader.close() === true) this.#complete(true)
    else this.failed(new Error(`connection closed ${this.#isHeadReceived ? 'within' : 'before'} the response`))
  }

  failed(error: Error): void {
    if (this.#mayRepeat()) this.#repeat()
    else this.#fail(explainFailure(error, this.#phase, this.#isHeadReceived), withMessage(error))
  }

  expired(): void {
    const { connectMs, idleMs, responseMs } = this.#request.timeouts
    if (this.#phase !== 'open') {
      this.#fail('connect_timeout', new Error(`no connection within ${connectMs} ms`))
    } else if (this.#isUploading || this.#isHeadReceived) {
      this.#fail('idle_timeout', new Error(`nothing moved for ${idleMs} ms`))
    } else {
      this.#fail('response_timeout', new Error(`no response within ${responseMs} ms`))
    }
  }

  interim({ status, headers }: ResponseHead): void {
    if (status !== 100) this.#sink.inform(status, headers)
  }

  head(head: ResponseHead): void {
    this.#isHeadReceived = true
    this.#sink.head(head)
  }

  data(bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection
    if (connection === undefined || this.#sink.data(connection.take(bytes, start, end))) return
    if (!this.#isOver) connection.hold()
  }

  uploadMoved(): void {
    if (!this.#isOver) this.#limit()
  }

  uploadFailed(error: Error): void {
    this.#fail('backend_reset', error)
  }

  /** The last byte of the request has not left yet. */
  get #isUploading(): boolean {
    return this.#upload !== undefined && (!this.#upload.hasEnded || this.#upload.isFull)
  }

  #dial(): void {
    this.#phase = 'dialing'
    this.#startedMs = performance.now()
    try {
      this.#connection = this.#pool.dial(this)
    } catch (thrown) {
      const error = toError(thrown)
      this.#fail(explainThrown(error), error)
      return
    }
    this.#connection.limit(this.#request.timeouts.connectMs)
  }

  #open(connectMs: number): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#phase = 'open'
    if (!this.#isConnectionTold) {
      this.#isConnectionTold = true
      this.#sink.connected(connectMs)
      if (this.#isOver) return
    }
    const { method, body } = this.#request
    connection.reader.begin(this, method)
    this.#isSent = true
    if (body === undefined) {
      connection.socket.write(this.#head, 'latin1')
    } else {
      this.#upload = new Upload(body, connection.socket, this)
      this.#upload.start(this.#head)
    }
    if (!this.#isOver) this.#limit()
  }

  /** Starts the limit that holds from now on: none while it is our side that keeps things waiting. */
  #limit(): void {
    const { idleMs, responseMs } = this.#request.timeouts
    const connection = this.#connection
    if (connection?.isHeld === true) connection.limit(0)
    else if (this.#isUploading) connection?.limit(this.#upload?.isFull === true ? idleMs : 0)
    else connection?.limit(this.#isHeadReceived ? idleMs : responseMs)
  }

  #complete(isSpoiled: boolean): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { trailers, keptMs } = connection.reader
    // A body that is not wanted any more is not read to its end: neither is its connection used again.
    const isReusable = keptMs > 0 && !isSpoiled && this.#upload?.hasEnded !== false
    this.#leave()
    if (isReusable) connection.release(keptMs)
    else connection.destroy()
    this.#sink.end(trailers)
  }

  /** A kept connection that ends before a byte of response was most likely closed before the request came to it. */
  #mayRepeat(): boolean {
    if (!this.#isKept || this.#phase !== 'open' || this.#connection?.reader.hasBegun !== false) return false
    return this.#request.body === undefined && isIdempotent(this.#request.method)
  }

  #repeat(): void {
    this.#connection?.destroy()
    this.#isKept = false
    // The last connection to become idle is taken first: where it is dead, the others are older still.
    this.#pool.closeIdle()
    this.#dial()
  }

  #fail(reason: UpstreamReason, cause: Error): void {
    if (this.#isOver) return
    this.#leave()
    this.#connection?.destroy()
    this.#sink.fail({ reason, cause, requestSent: this.#isSent })
  }

  /** From here on the sink hears nothing. */
  #leave(): void {
    this.#isOver = true
    this.#upload?.stop()
    this.#connection?.reader.stop()
  }
}
