import type { Duplex } from 'node:stream'
import type { ResponderWatcher, ResponseHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import type { Backend } from '../upstream/backend.ts'
import type { Attempt, UpgradeSink, UpstreamEngine, UpstreamFailure, UpstreamRequest } from '../upstream/engine.ts'
import { writeError } from './answer.ts'
import type { Arrival } from './arrival.ts'
import { withoutHopByHop } from './headers/hop-by-hop.ts'
import { buildRequestHeaders } from './headers/request-headers.ts'
import { buildResponseHeaders } from './headers/response-headers.ts'
import { filterTrailers } from './headers/trailers.ts'
import { type BodyWatcher, MeteredBody } from './metered-body.ts'
import type { TunnelSet } from './tunnel-set.ts'
import type { ProxyAction } from './world.ts'

export interface ForwardParts {
  readonly engine: UpstreamEngine
  readonly tunnels: TunnelSet
}

/**
 * One exchange on its way: relays the backend's response to the client and turns whatever fails into one answer, or,
 * once a head was sent, into a cut connection. A response is never ended as if it were whole when it is not.
 */
export class Forward implements UpgradeSink, ResponderWatcher, BodyWatcher {
  readonly #parts: ForwardParts
  readonly #action: ProxyAction
  readonly #arrival: Arrival
  readonly #path: string
  readonly #body: MeteredBody | undefined
  /** That of the attempt under way, or the last one. */
  #backend: Backend | undefined
  #attempt: Attempt | undefined
  #totalTimer: NodeJS.Timeout | undefined
  #upstreamOver = false
  #settled = false

  /** `path`: the target for the backend. */
  constructor(parts: ForwardParts, action: ProxyAction, arrival: Arrival, path: string) {
    this.#parts = parts
    this.#action = action
    this.#arrival = arrival
    this.#path = path
    this.#body = arrival.body && new MeteredBody(arrival.body, action.bodyLimitBytes, this)
  }

  start(): void {
    const { totalMs } = this.#action
    this.#arrival.responder.watch(this)
    if (totalMs > 0) this.#totalTimer = setTimeout(() => this.#timeOut(), totalMs)
    this.#try()
  }

  connected(connectMs: number): void {
    this.#arrival.log.connectMs = connectMs
  }

  inform(status: number, headers: HeaderList): void {
    this.#arrival.responder.inform(status, withoutHopByHop(headers))
  }

  head(head: ResponseHead): void {
    const backend = this.#backend
    if (backend === undefined) return
    this.#noteHead(head)
    this.#arrival.responder.head(this.#toClient(head, backend))
  }

  data(chunk: Buffer): boolean {
    this.#arrival.log.bytesOut += chunk.length
    return this.#arrival.responder.write(chunk)
  }

  end(trailers: HeaderList): void {
    this.#endUpstream()
    this.#arrival.responder.end(filterTrailers(trailers))
  }

  fail(failure: UpstreamFailure): void {
    this.#endUpstream()
    this.#answer(failure.reason)
  }

  switched(head: ResponseHead, socket: Duplex, first: Buffer): void {
    this.#endUpstream()
    const { upgrade, log } = this.#arrival
    const backend = this.#backend
    if (upgrade === undefined || backend === undefined || this.#settled) {
      socket.destroy()
      return
    }
    this.#settled = true
    this.#noteHead(head)
    const client = upgrade.accept(this.#toClient(head, backend))
    backend.state.inFlight--
    backend.state.tunnels++
    this.#parts.tunnels.open({
      client: client.socket,
      backend: socket,
      clientFirst: client.first,
      backendFirst: first,
      idleMs: this.#action.websocketIdleMs,
      websocket: true,
      onClose: ({ reason, bytesIn, bytesOut }) => {
        backend.state.tunnels--
        log.bytesIn = bytesIn
        log.bytesOut = bytesOut
        if (reason !== 'closed') log.fail(reason)
        log.finish(true)
      },
    })
  }

  drained(): void {
    this.#attempt?.resume()
  }

  finished(): void {
    this.#settle()
  }

  gone(reason: Reason): void {
    const { log, responder } = this.#arrival
    log.fail(reason)
    if (!responder.headSent) log.status = REASONS.client_gone.status
    this.#abortUpstream()
    this.#settle()
  }

  bodyBytes(count: number): void {
    this.#arrival.log.bytesIn += count
  }

  bodyFailed(reason: Reason): void {
    this.#abortUpstream()
    if (reason === 'client_gone') this.gone(reason)
    // RFC 9110 §15.5.9: it is the client that was too slow, not a gateway.
    else this.#answer(reason, reason === 'idle_timeout' ? 408 : undefined)
  }

  #try(): void {
    const { upstream } = this.#action
    const { head, identity, log, upgrade } = this.#arrival
    const backend = upstream.pick({ head, clientAddress: identity.address }, [])
    if (backend === undefined) {
      this.#answer('no_backend')
      return
    }
    this.#backend = backend
    backend.state.inFlight++
    log.backend = backend.name
    const { engine } = this.#parts
    const request = this.#requestFor(backend)
    const attempt =
      upgrade === undefined ? engine.request(backend, request, this) : engine.upgrade(backend, request, this)
    // Engines are allowed to fail at once.
    if (this.#upstreamOver) attempt.abort()
    else this.#attempt = attempt
  }

  #requestFor(backend: Backend): UpstreamRequest {
    const { requestHeaders, timeouts } = this.#action
    const { head, identity, log, upgrade, requestFields } = this.#arrival
    const headers = buildRequestHeaders(requestHeaders, {
      head,
      identity,
      requestId: log.requestId,
      backend: backend.authority,
      upgrade: upgrade !== undefined,
      fields: requestFields,
    })
    return { method: head.method, path: this.#path, headers, body: this.#body, timeouts }
  }

  #noteHead({ status }: ResponseHead): void {
    const { log } = this.#arrival
    log.status = status
    log.firstByteMs = log.elapsedMs()
  }

  #toClient(head: ResponseHead, { authority }: Backend): ResponseHead {
    const { head: request, log, responseFields } = this.#arrival
    const headers = buildResponseHeaders(this.#action.responseHeaders, {
      response: head,
      request,
      requestId: log.requestId,
      backend: authority,
    })
    if (responseFields.length > 0) headers.push(...responseFields)
    return { status: head.status, statusText: head.statusText, headers }
  }

  #timeOut(): void {
    this.#abortUpstream()
    this.#answer('response_timeout')
  }

  #answer(reason: Reason, status: number = REASONS[reason].status): void {
    if (this.#settled) return
    const { responder, log } = this.#arrival
    if (responder.headSent) {
      log.fail(reason)
      responder.abort()
      this.#settle()
    } else writeError(this.#arrival, reason, status)
  }

  #abortUpstream(): void {
    const attempt = this.#attempt
    this.#endUpstream()
    attempt?.abort()
  }

  #endUpstream(): void {
    this.#upstreamOver = true
    this.#attempt = undefined
    clearTimeout(this.#totalTimer)
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#totalTimer)
    if (this.#backend !== undefined) this.#backend.state.inFlight--
    this.#arrival.log.finish(false)
  }
}
