import type { Duplex } from 'node:stream'
import type { ResponderWatcher, ResponseHead } from '../exchange.ts'
import { type HeaderList, NO_HEADERS } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import type { Backend } from '../upstream/backend.ts'
import type { UpstreamEngine, UpstreamFailure } from '../upstream/engine.ts'
import { writeError } from './answer.ts'
import type { Arrival } from './arrival.ts'
import { Attempts, type AttemptsSink } from './attempts.ts'
import { withoutHopByHop } from './headers/hop-by-hop.ts'
import { buildResponseHeaders } from './headers/response-headers.ts'
import { filterTrailers } from './headers/trailers.ts'
import type { NoSeat } from './seating.ts'
import type { TunnelSet } from './tunnel-set.ts'
import type { ProxyAction } from './world.ts'

const RETRY_SOON: HeaderList = ['Retry-After', '1']

export interface ForwardParts {
  readonly engine: UpstreamEngine
  readonly tunnels: TunnelSet
}

/**
 * One exchange on its way: relays the backend's response to the client and turns whatever fails into another attempt, into
 * one answer, or, once a head was sent, into a cut connection. A response is never ended as if it were whole when it is not.
 */
export class Forward implements AttemptsSink, ResponderWatcher {
  readonly #tunnels: TunnelSet
  readonly #action: ProxyAction
  readonly #arrival: Arrival
  readonly #attempts: Attempts
  #totalTimer: NodeJS.Timeout | undefined
  #settled = false

  /** `path`: the target for the backend. */
  constructor({ engine, tunnels }: ForwardParts, action: ProxyAction, arrival: Arrival, path: string) {
    this.#tunnels = tunnels
    this.#action = action
    this.#arrival = arrival
    this.#attempts = new Attempts(engine, action, arrival, path, this)
  }

  start(): void {
    const { totalMs } = this.#action
    this.#arrival.responder.watch(this)
    if (totalMs > 0) this.#totalTimer = setTimeout(() => this.#timeOut(), totalMs)
    this.#attempts.begin()
  }

  unavailable(reason: NoSeat): void {
    this.#answer(reason, REASONS[reason].status, RETRY_SOON)
  }

  connected(connectMs: number): void {
    this.#arrival.log.connectMs = connectMs
  }

  inform(status: number, headers: HeaderList): void {
    this.#arrival.responder.inform(status, withoutHopByHop(headers))
  }

  head(head: ResponseHead): void {
    const { retry } = this.#action
    const { backend } = this.#attempts
    this.#attempts.answered(head.status)
    if (backend === undefined || (retry?.statuses.has(head.status) && this.#attempts.retry(true))) return
    this.#noteHead(head)
    this.#arrival.responder.head(this.#toClient(head, backend))
  }

  data(chunk: Buffer): boolean {
    this.#arrival.log.bytesOut += chunk.length
    return this.#arrival.responder.write(chunk)
  }

  hasConsumed(): boolean {
    return this.#arrival.responder.hasConsumed?.() === true
  }

  end(trailers: HeaderList): void {
    this.#attempts.ended()
    this.#stopWaiting()
    this.#arrival.responder.end(filterTrailers(trailers))
  }

  fail({ reason, requestSent }: UpstreamFailure): void {
    this.#attempts.ended()
    this.#attempts.backend?.series.countFailure(reason)
    const { headSent } = this.#arrival.responder
    if (!headSent) this.#attempts.failed(reason)
    const mayRetry = !this.#settled && !headSent
    if (mayRetry && this.#action.retry?.reasons.has(reason) && this.#attempts.retry(requestSent)) return
    this.#answer(reason)
  }

  switched(head: ResponseHead, socket: Duplex, first: Buffer): void {
    this.#attempts.ended()
    this.#attempts.answered(head.status)
    const { upgrade, log } = this.#arrival
    const { backend } = this.#attempts
    if (upgrade === undefined || backend === undefined || this.#settled) {
      socket.destroy()
      return
    }
    this.#settled = true
    this.#stopWaiting()
    const leave = this.#attempts.keepPlace()
    this.#noteHead(head)
    const client = upgrade.accept(this.#toClient(head, backend))
    backend.state.tunnels++
    log.series.countTunnel()
    this.#tunnels.open({
      client: client.socket,
      backend: socket,
      clientFirst: client.first,
      backendFirst: first,
      idleMs: this.#action.websocketIdleMs,
      websocket: true,
      onClose: ({ reason, bytesIn, bytesOut }) => {
        backend.state.tunnels--
        leave?.()
        log.bytesIn = bytesIn
        log.bytesOut = bytesOut
        if (reason !== 'closed') log.fail(reason)
        log.finish(true)
      },
    })
  }

  drained(): void {
    this.#attempts.resume()
  }

  finished(): void {
    this.#settle()
  }

  gone(reason: Reason): void {
    const { log, responder } = this.#arrival
    log.fail(reason)
    if (!responder.headSent) log.status = REASONS.client_gone.status
    this.#attempts.abort()
    this.#settle()
  }

  bodyBytes(count: number): void {
    this.#arrival.log.bytesIn += count
  }

  bodyFailed(reason: Reason): void {
    this.#attempts.abort()
    if (reason === 'client_gone') this.gone(reason)
    // RFC 9110 §15.5.9: it is the client that was too slow, not a gateway.
    else this.#answer(reason, reason === 'idle_timeout' ? 408 : undefined)
  }

  #noteHead({ status }: ResponseHead): void {
    const { log } = this.#arrival
    log.status = status
    log.firstByteMs = log.elapsedMs()
  }

  #toClient(head: ResponseHead, backend: Backend): ResponseHead {
    const { head: request, identity, log, responseFields } = this.#arrival
    const headers = buildResponseHeaders(this.#action.responseHeaders, {
      response: head,
      request,
      requestId: log.requestId,
      backend: backend.authority,
    })
    const { affinity } = this.#action.upstream
    if (affinity !== undefined) headers.push(...affinity.fieldsFor(backend, request, identity.proto === 'https'))
    if (responseFields.length > 0) headers.push(...responseFields)
    return { status: head.status, statusText: head.statusText, headers }
  }

  #timeOut(): void {
    this.#attempts.abort()
    this.#attempts.backend?.series.countFailure('response_timeout')
    this.#answer('response_timeout')
  }

  #answer(reason: Reason, status: number = REASONS[reason].status, fields: HeaderList = NO_HEADERS): void {
    if (this.#settled) return
    this.#stopWaiting()
    const { responder, log } = this.#arrival
    if (responder.headSent) {
      log.fail(reason)
      responder.abort()
      this.#settle()
    } else writeError(this.#arrival, reason, status, fields)
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    this.#release()
    this.#arrival.log.finish(false)
  }

  #release(): void {
    this.#stopWaiting()
    this.#attempts.release()
  }

  /** Nothing more is asked of any backend. */
  #stopWaiting(): void {
    clearTimeout(this.#totalTimer)
    this.#attempts.stop()
  }
}
