import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientAddress } from '../exchange.ts'
import type { Reason } from '../reason.ts'
import { addressOf } from './client-address.ts'
import { ConnectionEnd } from './connection-end.ts'
import { Http1Responder } from './http1-responder.ts'
import { Http1Upgrade, type UpgradeHost } from './http1-upgrade.ts'
import type { ListenerHandler, ListenerSettings } from './listener.ts'
import { type Rejection, rejectionOf, renderRejection, sendRejection } from './rejection.ts'
import { RequestBody } from './request-body.ts'
import { asksForWebSocket, checkRequestHead, type RawRequestHead } from './request-framing.ts'
import { rawHeadOf, toRequestHead } from './request-head.ts'
import { RequestQueue } from './request-queue.ts'
import { attach, release, takeOver } from './socket-events.ts'

/** What the connections of one listener share. */
export interface ConnectionOwner {
  readonly settings: ListenerSettings
  readonly isDraining: boolean
  /** No connection waits for another request any more. */
  readonly isGraceOver: boolean
  readonly handler: ListenerHandler
  /** It became a tunnel: `closed` is still called. */
  released(connection: Http1Connection): void
  closed(connection: Http1Connection): void
}

/** One client connection: its requests become exchanges one after another, in the order in which they came. */
export class Http1Connection implements UpgradeHost {
  readonly client: ClientAddress
  /** Among the connections that the limit allows. */
  readonly isCounted: boolean
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #end: ConnectionEnd
  readonly #queue: RequestQueue
  /** Of the exchange under way. */
  #responder: Http1Responder | undefined
  #body: RequestBody | undefined
  /** Nothing is taken behind this request. */
  #final: IncomingMessage | undefined
  /** To be answered when the requests before it are. */
  #rejection: Rejection | undefined
  #hasFailed = false
  /** The last response is on its way, or was sent: whatever else comes is read and thrown away. */
  #isParting = false
  /** Node's parser let go of the socket. */
  #isDetached = false

  constructor(owner: ConnectionOwner, socket: Socket, isCounted: boolean) {
    this.#owner = owner
    this.isCounted = isCounted
    this.#socket = socket
    this.#end = new ConnectionEnd(socket)
    this.#queue = new RequestQueue(socket)
    this.client = addressOf(socket)
    attach(socket, this)
  }

  /** Nothing came that is not answered; a head that has not arrived in full does not count. */
  get isIdle(): boolean {
    return this.#responder === undefined && this.#queue.isEmpty && !this.#isParting
  }

  take(message: IncomingMessage, response: ServerResponse): void {
    if (this.#isParting || (this.#final !== undefined && this.#final !== message)) return
    if (this.#responder === undefined) this.#begin(message, response)
    else if (!this.#queue.push({ message, response })) {
      this.#report({ reason: 'over_capacity', status: 503, detail: 'too many pipelined requests' })
      this.cut('over_capacity', false)
    }
  }

  /** Whether Node's parser may let go of the socket for this request. */
  maySwitch(message: IncomingMessage): boolean {
    if (this.isIdle && asksForWebSocket(rawHeadOf(message), this.#owner.settings.limits.headers)) return true
    // Where Node is told no it loses what came in one read behind the request, and would take the rest for another.
    this.#final ??= message
    return false
  }

  switch(message: IncomingMessage, first: Buffer): void {
    const raw = rawHeadOf(message)
    const framing = checkRequestHead(raw, this.#owner.settings.limits.headers)
    this.#isDetached = true
    takeOver(this.#socket)
    if (framing.kind === 'unsound' || !this.isIdle) {
      this.reject(framing.kind === 'unsound' ? framing : HASTY_UPGRADE, raw)
      return
    }
    const upgrade = new Http1Upgrade(this, toRequestHead(raw, framing), message, this.#socket, first)
    this.#responder = upgrade.responder
    this.#owner.handler.upgrade(upgrade)
  }

  /** CONNECT asks for a tunnel to anywhere: nothing that a reverse proxy gives. */
  refuseConnect(message: IncomingMessage): void {
    this.#isDetached = true
    takeOver(this.#socket)
    this.reject({ reason: 'bad_request', status: 400, detail: 'CONNECT' }, rawHeadOf(message))
  }

  /** Node's parser, or the socket, failed. */
  fail(error: NodeJS.ErrnoException): void {
    // RFC 9112 §9.6: what follows the last request of a connection is not looked at.
    if (this.#isParting || this.#hasFailed || this.#final?.complete || error.code === 'HPE_CLOSED_CONNECTION') return
    const rejection = rejectionOf(error)
    // A client that never said a word is not answered.
    if (rejection === undefined || this.#socket.bytesRead === 0) {
      this.#socket.destroy()
      return
    }
    this.#hasFailed = true
    if (!this.#queue.isEmpty) this.#queue.dropUnfinished()
    else if (this.#body?.hasArrived === false) {
      if (error.code === 'HPE_INVALID_EOF_STATE') this.cut('client_gone', false)
      else this.#body.fail(rejection.reason, error)
      return
    }
    this.reject(rejection)
  }

  /** Answers what is no exchange, behind the exchanges before it, and closes. */
  reject(rejection: Rejection, head?: RawRequestHead): void {
    this.#report(rejection, head)
    if (this.#responder === undefined) this.#answer(rejection)
    else if (this.#isDetached) this.cut(rejection.reason, false)
    else this.#rejection = rejection
  }

  /** Of the socket: a kept connection without a request, or a client that does not read. */
  timedOut(): void {
    if (this.isIdle) this.#socket.destroy()
    else if (this.#socket.writableLength > 0) this.cut('idle_timeout', false)
  }

  /** Called every fraction of a second. */
  check(nowMs: number): void {
    this.#body?.check(nowMs, this.#owner.settings.timeouts.bodyIdleMs)
    this.#end.check(nowMs, this.#responder !== undefined)
  }

  persistAfter(response: ServerResponse, isFramed: boolean): boolean {
    const { settings, isDraining } = this.#owner
    const { clientEnded } = this.#end
    const isAsked = response.shouldKeepAlive
    const isRead = this.#body?.hasArrived !== false
    // Requests that were read already are answered before the connection ends.
    const mayEnd = isDraining || clientEnded || this.#final !== undefined || settings.timeouts.keepAliveMs === 0
    const isLast = this.#queue.isEmpty && mayEnd
    if (isAsked && isFramed && isRead && !isLast) return true
    this.#isParting = true
    if (!clientEnded && (isAsked || !isRead)) this.#end.lingerAfterResponse()
    return false
  }

  expectReading(): void {
    this.#socket.setTimeout(this.#owner.settings.timeouts.writeIdleMs)
  }

  responded(): void {
    const body = this.#body
    this.#responder = undefined
    this.#body = undefined
    body?.release()
    if (this.#isDetached) this.#part()
    if (this.#isParting) return
    const next = this.#queue.shift()
    if (next !== undefined) this.#begin(next.message, next.response)
    else if (this.#rejection !== undefined) this.#answer(this.#rejection)
    else if (this.#owner.isGraceOver) this.#part()
  }

  cut(reason: Reason, reset: boolean): void {
    this.#isParting = true
    this.#end.cut(reason, reset)
  }

  release(): void {
    this.#responder = undefined
    release(this.#socket)
    this.#owner.released(this)
  }

  closed(): void {
    const responder = this.#responder
    const body = this.#body
    this.#responder = undefined
    this.#body = undefined
    this.#isParting = true
    this.#queue.clear()
    this.#owner.closed(this)
    responder?.closed(this.#end.reason)
    body?.fail('client_gone')
  }

  clientEnded(): void {
    this.#end.noteClientEnd()
    // Nobody asks for a protocol that only the other side speaks on.
    if (this.#isDetached && this.#responder?.headSent === false) this.cut('client_gone', false)
  }

  drained(): void {
    this.#responder?.drained()
  }

  #begin(message: IncomingMessage, response: ServerResponse): void {
    const raw = rawHeadOf(message)
    const framing = checkRequestHead(raw, this.#owner.settings.limits.headers)
    if (framing.kind === 'unsound') {
      this.#report(framing, raw)
      this.#isParting = true
      this.#end.lingerAfterResponse()
      sendRejection(response, framing)
      return
    }
    const head = toRequestHead(raw, framing)
    const responder = new Http1Responder(this, response, head.httpVersion === '1.0')
    const body = framing.hasBody
      ? new RequestBody(message, framing.lengthBytes, framing.expectsContinue ? response : undefined)
      : undefined
    this.#responder = responder
    this.#body = body
    this.#owner.handler.exchange({ head, client: this.client, body, responder })
  }

  #answer(rejection: Rejection): void {
    this.#socket.write(renderRejection(rejection), 'latin1')
    this.#part()
  }

  #part(): void {
    this.#isParting = true
    this.#end.linger()
  }

  #report({ reason, status, detail }: Rejection, head?: RawRequestHead): void {
    const { client } = this
    this.#owner.handler.rejected({ client, reason, status, detail, method: head?.method, target: head?.target })
  }
}

const HASTY_UPGRADE: Rejection = { reason: 'bad_request', status: 400, detail: 'an upgrade behind another request' }
