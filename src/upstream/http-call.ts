import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Attempt, ResponseSink, UpstreamReason, UpstreamRequest } from './engine.ts'
import { type ConnectionPhase, explainFailure, explainThrown, toError, withMessage } from './failure.ts'
import { isIdempotent } from './framing.ts'
import { RequestBody } from './request-body.ts'
import { findResponseFault } from './response-fault.ts'
import { SilenceWatch } from './silence-watch.ts'

export interface HttpCallHooks {
  /** Absent where no other protocol was asked for. */
  readonly protocolSwitch?: ProtocolSwitch
  /** A kept connection had died before the request: it may be sent again, on another one. The call is over. */
  readonly stale?: () => void
}

export interface ProtocolSwitch {
  findFault(response: IncomingMessage): Error | undefined
  /** The socket belongs to the callee now; an error on it is ignored unless the callee listens. */
  accept(response: IncomingMessage, socket: Socket, first: Buffer): void
}

/** One request on one connection through node:http, from the dialling to the last byte of the response. */
export class HttpCall implements Attempt {
  readonly #request: UpstreamRequest
  readonly #sink: ResponseSink
  readonly #hooks: HttpCallHooks
  readonly #startedMs = performance.now()
  readonly #silence: SilenceWatch
  #client: ClientRequest | undefined
  #socket: Socket | undefined
  #body: RequestBody | undefined
  #response: IncomingMessage | undefined
  #phase: ConnectionPhase = 'dialing'
  #deadline: NodeJS.Timeout | undefined
  /** Bytes that the connection had received when this request came to it. */
  #bytesBefore = 0
  #held = false
  #over = false

  constructor(request: UpstreamRequest, sink: ResponseSink, hooks: HttpCallHooks) {
    this.#request = request
    this.#sink = sink
    this.#hooks = hooks
    this.#silence = new SilenceWatch(request.timeouts.idleMs, () => this.#onSilence())
  }

  /** `send` makes the request and hands it to `attach` before it returns. The sink hears nothing before that either. */
  start(send: () => void): void {
    try {
      send()
      if (this.#client === undefined) throw new Error('the request was not made')
    } catch (thrown) {
      const error = toError(thrown)
      process.nextTick(() => this.#fail(explainThrown(error), error))
    }
  }

  attach(client: ClientRequest): void {
    this.#client = client
    client.maxHeadersCount = 0
    client.on('error', (error) => this.#onError(error))
    client.on('socket', (socket) => this.#onSocket(client, socket))
    client.on('finish', () => this.#onRequestSent())
    client.on('information', (info) => this.#onInformation(info))
    client.on('response', (response) => this.#onResponse(response))
    client.on('upgrade', (response, socket, first) => this.#onSwitch(response, socket, first))
    client.on('connect', (_response, socket) => this.#refuseSwitch(socket, new Error('a tunnel was opened')))
    client.on('close', () => {
      if (this.#response === undefined) this.#onError(new Error('connection closed before the response'))
    })
    if (this.#request.body === undefined) client.end()
  }

  resume(): void {
    if (this.#over || !this.#held) return
    this.#held = false
    this.#response?.resume()
    if (this.#socket !== undefined) this.#silence.begin(this.#socket)
  }

  abort(): void {
    this.#leave()
    // A request that has no socket yet would hand a half-open one to the agent: it is destroyed once it has one.
    if (this.#socket !== undefined) this.#client?.destroy()
  }

  #onSocket(client: ClientRequest, socket: Socket): void {
    this.#socket = socket
    if (this.#over) {
      client.destroy()
      return
    }
    this.#bytesBefore = socket.bytesRead
    if (client.reusedSocket && !socket.connecting) {
      this.#onOpen(client, socket, 0)
      return
    }
    const { connectMs } = this.#request.timeouts
    this.#limit(connectMs, 'connect_timeout', 'no connection')
    const open = () => this.#onOpen(client, socket, performance.now() - this.#startedMs)
    if (!(socket instanceof TLSSocket)) {
      socket.once('connect', open)
      return
    }
    socket.once('connect', () => {
      this.#phase = 'handshake'
    })
    socket.once('secureConnect', open)
  }

  #onOpen(client: ClientRequest, socket: Socket, connectMs: number): void {
    if (this.#over) return
    this.#phase = 'open'
    clearTimeout(this.#deadline)
    this.#sink.connected(connectMs)
    if (this.#over) return
    const { body, timeouts } = this.#request
    if (body === undefined) {
      this.#limit(timeouts.responseMs, 'response_timeout', 'no response')
      return
    }
    this.#silence.begin(socket)
    this.#body = new RequestBody(body, client, (error) => this.#fail('backend_reset', error))
    this.#body.start()
  }

  #onRequestSent(): void {
    if (this.#over || this.#body === undefined || this.#response !== undefined) return
    this.#limit(this.#request.timeouts.responseMs, 'response_timeout', 'no response')
  }

  #onInformation({ statusCode, rawHeaders }: InformationEvent): void {
    if (!this.#over && statusCode !== 100) this.#sink.inform(statusCode, rawHeaders)
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#over) return
    clearTimeout(this.#deadline)
    this.#response = response
    const fault = findResponseFault(response)
    if (fault !== undefined) {
      this.#fail('bad_response', fault)
      return
    }
    const { statusCode = 0, statusMessage = '', rawHeaders } = response
    this.#sink.head({ status: statusCode, statusText: statusMessage, headers: rawHeaders })
    if (this.#over) return
    if (this.#socket !== undefined) this.#silence.begin(this.#socket)
    response.on('data', (chunk: Buffer) => this.#onData(chunk))
    response.on('end', () => this.#onEnd(response))
    response.on('close', () => this.#fail('backend_reset', new Error('connection closed within the response')))
  }

  #onData(chunk: Buffer): void {
    if (this.#over || this.#sink.data(chunk) || this.#over) return
    this.#held = true
    this.#response?.pause()
  }

  #onEnd(response: IncomingMessage): void {
    if (this.#over) return
    this.#leave()
    this.#discardUnlessSent()
    this.#sink.end(response.rawTrailers)
  }

  /**
   * A body that is not wanted any more is not read to its end: neither is its connection used again. The kernel's
   * word on the last bytes of one that is may come later in this turn than the response to them.
   */
  #discardUnlessSent(): void {
    const client = this.#client
    if (client === undefined || client.writableFinished) return
    setImmediate(() => {
      if (!client.writableFinished) client.destroy()
    })
  }

  #onSwitch(response: IncomingMessage, socket: Socket, first: Buffer): void {
    const { protocolSwitch } = this.#hooks
    const fault =
      protocolSwitch === undefined ? new Error('101 to a request without Upgrade') : protocolSwitch.findFault(response)
    if (this.#over || protocolSwitch === undefined || fault !== undefined) {
      this.#refuseSwitch(socket, fault)
      return
    }
    this.#leave()
    // node:http has let go of the socket, and with it of the error listener.
    socket.on('error', () => {})
    protocolSwitch.accept(response, socket, first)
  }

  #refuseSwitch(socket: Socket, fault: Error | undefined): void {
    if (fault !== undefined) this.#fail('bad_response', fault)
    socket.on('error', () => {})
    socket.destroy()
  }

  #onError(error: Error): void {
    if (this.#over) return
    // What follows a complete response spoils the connection, not the response.
    if (this.#response?.complete) return
    if (this.#mayRepeat()) {
      this.#leave()
      this.#hooks.stale?.()
      return
    }
    this.#fail(explainFailure(error, this.#phase, this.#response !== undefined), withMessage(error))
  }

  /** A kept connection that ends before a byte of response was most likely closed before the request came to it. */
  #mayRepeat(): boolean {
    if (this.#hooks.stale === undefined || this.#phase !== 'open' || !this.#client?.reusedSocket) return false
    const { method, body } = this.#request
    return body === undefined && isIdempotent(method) && this.#socket?.bytesRead === this.#bytesBefore
  }

  #limit(ms: number, reason: UpstreamReason, what: string): void {
    clearTimeout(this.#deadline)
    if (ms <= 0) return
    this.#deadline = setTimeout(() => this.#fail(reason, new Error(`${what} within ${ms} ms`)), ms)
  }

  #onSilence(): void {
    const receiving = this.#response !== undefined
    if (receiving && this.#held) return
    const waitsForClient = this.#body?.ended === false && !this.#body.isFull
    if (waitsForClient || (!receiving && this.#client?.writableFinished)) return
    this.#fail('idle_timeout', new Error(`nothing moved for ${this.#request.timeouts.idleMs} ms`))
  }

  #fail(reason: UpstreamReason, cause: Error): void {
    if (this.#over) return
    this.#leave()
    this.#client?.destroy()
    this.#sink.fail({ reason, cause, requestSent: this.#phase === 'open' })
  }

  /** From here on the sink hears nothing, and nothing of this call is left on the socket. */
  #leave(): void {
    this.#over = true
    clearTimeout(this.#deadline)
    this.#silence.stop()
    this.#body?.stop()
  }
}
