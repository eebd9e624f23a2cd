import type { Socket } from 'node:net'
import type { ClientLimits } from '../config/config.ts'
import type { ClientAddress } from '../exchange.ts'
import type { Reason } from '../reason.ts'
import type { ClientInput } from './client-input.ts'
import { ConnectionEnd } from './connection-end.ts'
import { Http1Responder, type ResponseClock } from './http1-responder.ts'
import { Http1Upgrade, type UpgradeHost } from './http1-upgrade.ts'
import type { ListenerHandler, ListenerSettings } from './listener.ts'
import type { MemoryPool } from './memory-pool.ts'
import { type Rejection, renderRejection } from './rejection.ts'
import { type BodyHost, RequestBody } from './request-body.ts'
import type { RawRequestHead } from './request-framing.ts'
import { type IntakeHost, RequestIntake } from './request-intake.ts'
import type { RefusedRequest, SoundRequest } from './request-reader.ts'
import { attach, release, type SocketListener } from './socket-events.ts'

/** What the connections of one listener share. */
export interface ConnectionOwner extends ResponseClock {
  readonly settings: ListenerSettings
  readonly isDraining: boolean
  /** No connection waits for another request any more. */
  readonly isGraceOver: boolean
  readonly handler: ListenerHandler
  readonly memory: MemoryPool
  /** It became a tunnel: `closed` is still called. */
  released(connection: Http1Connection): void
  closed(connection: Http1Connection): void
}

/** One client connection: its requests become exchanges one after another, in the order in which they came. */
export class Http1Connection implements IntakeHost, UpgradeHost, BodyHost, SocketListener {
  readonly socket: Socket
  readonly client: ClientAddress
  /** Among the connections that the limit allows. */
  readonly isCounted: boolean
  readonly owner: ConnectionOwner
  readonly #input: ClientInput
  readonly #end: ConnectionEnd
  readonly #intake: RequestIntake
  /** Of the exchange under way. */
  #responder: Http1Responder | undefined
  #isUpgrade = false
  /** What comes behind the request may not be HTTP. */
  #isFinal = false
  /** The client waits for a word before it sends the body. */
  #awaitsContinue = false
  /** The client lets another request follow. */
  #persists = false
  /** Decided with the head of the response. */
  #closesAfter = false
  /** The last response was sent, or there is none. */
  #isParting = false
  /** It waits for its first request. */
  #isFresh = true
  /** When the wait for a request, or for the rest of its head, was first seen; 0: not yet. */
  #sinceMs = 0

  constructor(owner: ConnectionOwner, socket: Socket, input: ClientInput, client: ClientAddress, isCounted: boolean) {
    this.owner = owner
    this.socket = socket
    this.client = client
    this.isCounted = isCounted
    this.#input = input
    this.#end = new ConnectionEnd(socket)
    this.#intake = new RequestIntake(this, socket, input, owner.memory)
    attach(socket, this)
  }

  /** It waits for a request of which nothing came. */
  get isIdle(): boolean {
    return !this.isBusy && !this.#isParting && !this.#intake.isInHead
  }

  get isBusy(): boolean {
    return this.#responder !== undefined
  }

  get limits(): ClientLimits {
    return this.owner.settings.limits
  }

  arrived(bytes: Buffer): void {
    this.#intake.received(bytes, 0, bytes.length)
  }

  begin({ head, framing }: SoundRequest, isHasty: boolean): void {
    const { upgrade } = framing
    this.#isFresh = false
    this.#persists = framing.persists
    this.#isFinal = upgrade !== 'none'
    this.#isUpgrade = upgrade === 'websocket' && !isHasty
    if (this.#isUpgrade) {
      const exchange = new Http1Upgrade(this, head)
      this.#responder = exchange.responder
      this.owner.handler.upgrade(exchange)
      return
    }
    const responder = new Http1Responder(this, head.httpVersion === '1.0', head.method === 'HEAD')
    const body = framing.hasBody ? new RequestBody(this, framing.lengthBytes) : undefined
    this.#responder = responder
    this.#intake.body = body
    this.#awaitsContinue = framing.expectsContinue
    this.owner.handler.exchange({ head, client: this.client, body, responder })
  }

  refuse({ problem, head }: RefusedRequest): void {
    this.reject(problem, head)
  }

  headBegun(): void {
    if (!this.#isFresh) this.#sinceMs = 0
  }

  bodyWanted(): void {
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false
      if (this.#responder?.headSent === false) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
    }
    this.#intake.take()
  }

  /** Answers what is no exchange, and closes. */
  reject({ reason, status, detail }: Rejection, head?: RawRequestHead): void {
    const { client } = this
    this.owner.handler.rejected({ client, reason, status, detail, method: head?.method, target: head?.target })
    this.socket.write(renderRejection({ reason, status, detail }), 'latin1')
    this.#part(true)
  }

  /** Of the socket: a client that does not read. */
  timedOut(): void {
    if (this.socket.writableLength > 0) this.cut('idle_timeout', false)
  }

  /** Called every fraction of a second. */
  check(nowMs: number): void {
    const { timeouts } = this.owner.settings
    this.#intake.body?.check(nowMs, timeouts.bodyIdleMs)
    this.#end.check(nowMs, this.isBusy)
    if (this.isBusy || this.#isParting) return
    if (this.#sinceMs === 0) this.#sinceMs = nowMs
    const { isInHead } = this.#intake
    const limitMs = isInHead || this.#isFresh ? timeouts.headerMs : timeouts.keepAliveMs
    if (limitMs === 0 || nowMs - this.#sinceMs < limitMs) return
    // A client that never said a word is not answered.
    if (isInHead) this.reject(SLOW_HEAD)
    else this.socket.destroy()
  }

  persistAfter(isFramed: boolean): boolean {
    const { settings, isDraining } = this.owner
    const isRead = this.#intake.skipBody()
    // Requests that were read already are answered before the connection ends.
    const mayEnd = isDraining || this.#end.clientEnded || settings.timeouts.keepAliveMs === 0
    const isLast = mayEnd && this.#intake.isEmpty
    this.#closesAfter = this.#isFinal || !this.#persists || !isFramed || !isRead || isLast
    return !this.#closesAfter
  }

  expectReading(): void {
    this.socket.setTimeout(this.owner.settings.timeouts.writeIdleMs)
  }

  responded(): void {
    const intake = this.#intake
    const { body } = intake
    this.#responder = undefined
    intake.endRequest()
    if (this.socket.timeout) this.socket.setTimeout(0)
    this.#sinceMs = 0
    body?.fail('client_gone')
    if (this.#closesAfter) this.#part(this.#persists || body?.hasArrived === false || !intake.isEmpty)
    else if (intake.isEmpty && this.owner.isGraceOver) this.#part(true)
    else if (!intake.isEmpty || this.#end.clientEnded) intake.take()
  }

  emptied(): void {
    if (this.#end.clientEnded) this.#checkEnd()
  }

  cut(reason: Reason, reset: boolean): void {
    this.#isParting = true
    this.#intake.deafen()
    this.#end.cut(reason, reset)
  }

  release(): Buffer {
    const { socket } = this
    const first = this.#intake.takeRest()
    this.#responder = undefined
    this.#isParting = true
    this.#input.passOn(socket)
    release(socket)
    this.owner.released(this)
    return first
  }

  closed(): void {
    const responder = this.#responder
    const { body } = this.#intake
    this.#responder = undefined
    this.#intake.body = undefined
    this.#isParting = true
    this.#intake.deafen()
    this.owner.closed(this)
    responder?.closed(this.#end.reason)
    body?.fail('client_gone')
  }

  clientEnded(): void {
    this.#end.noteClientEnd()
    // Nobody asks for a protocol that only the other side speaks on.
    if (this.#isUpgrade && this.#responder?.headSent === false) this.cut('client_gone', false)
    else if (this.#intake.isEmpty) this.#checkEnd()
  }

  drained(): void {
    this.#responder?.drained()
  }

  /** The client sends no more, and what it sent is taken. */
  #checkEnd(): void {
    if (this.#isParting) return
    if (this.isBusy) {
      if (this.#intake.body?.hasArrived === false) this.cut('client_gone', false)
    } else if (this.#intake.isInHead) this.reject(CUT_HEAD)
    else this.#part(false)
  }

  #part(lingers: boolean): void {
    this.#isParting = true
    this.#intake.deafen()
    if (lingers && !this.#end.clientEnded) this.#end.linger()
    else this.socket.destroySoon()
  }
}

const SLOW_HEAD: Rejection = { reason: 'idle_timeout', status: 408, detail: 'the request head did not arrive in time' }
const CUT_HEAD: Rejection = {
  reason: 'bad_request',
  status: 400,
  detail: 'the connection ended within the request head',
}
