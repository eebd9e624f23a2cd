import type { Duplex } from 'node:stream'
import type { RequestHead, Responder, ResponderWatcher, ResponseHead, UpgradeExchange } from '../exchange.ts'
import { findHeader, type HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import type { Attempt, UpgradeSink, UpstreamFailure } from '../upstream/engine.ts'
import { answerError } from './error-page.ts'
import type { ExchangeLog } from './exchange-log.ts'
import { withoutHopByHop } from './headers/hop-by-hop.ts'
import { buildResponseHeaders } from './headers/response-headers.ts'
import { filterTrailers } from './headers/trailers.ts'
import type { BodyWatcher } from './metered-body.ts'
import type { TunnelSet } from './tunnel-set.ts'
import type { ProxyAction } from './world.ts'

/** What an accepted upgrade needs; both sockets are the tunnel's from then on. */
export interface UpgradeTarget {
  readonly exchange: UpgradeExchange
  readonly tunnels: TunnelSet
}

/**
 * One exchange on its way: relays the backend's response to the client and turns whatever fails into one answer, or,
 * once a head was sent, into a cut connection. A response is never ended as if it were whole when it is not.
 */
export class Forward implements UpgradeSink, ResponderWatcher, BodyWatcher {
  #action: ProxyAction
  #request: RequestHead
  #responder: Responder
  #log: ExchangeLog
  #upgrade: UpgradeTarget | undefined
  #attempt: Attempt | undefined
  #totalTimer: NodeJS.Timeout | undefined
  #upstreamOver = false
  #settled = false

  constructor(
    action: ProxyAction,
    request: RequestHead,
    responder: Responder,
    log: ExchangeLog,
    upgrade: UpgradeTarget | undefined,
  ) {
    this.#action = action
    this.#request = request
    this.#responder = responder
    this.#log = log
    this.#upgrade = upgrade
    action.backend.state.inFlight++
    responder.watch(this)
    if (action.totalMs > 0) this.#totalTimer = setTimeout(() => this.#timeOut(), action.totalMs)
  }

  /** The attempt may already be over: engines are allowed to fail at once. */
  begin(attempt: Attempt): void {
    if (this.#upstreamOver) attempt.abort()
    else this.#attempt = attempt
  }

  connected(connectMs: number): void {
    this.#log.connectMs = connectMs
  }

  inform(status: number, headers: HeaderList): void {
    this.#responder.inform(status, withoutHopByHop(headers))
  }

  head(head: ResponseHead): void {
    this.#log.status = head.status
    this.#log.firstByteMs = this.#log.elapsedMs()
    this.#responder.head(this.#toClient(head))
  }

  data(chunk: Buffer): boolean {
    this.#log.bytesOut += chunk.length
    return this.#responder.write(chunk)
  }

  end(trailers: HeaderList): void {
    this.#endUpstream()
    this.#responder.end(filterTrailers(trailers))
  }

  fail(failure: UpstreamFailure): void {
    this.#endUpstream()
    this.#answer(failure.reason, REASONS[failure.reason].status)
  }

  switched(head: ResponseHead, socket: Duplex, first: Buffer): void {
    this.#endUpstream()
    const upgrade = this.#upgrade
    if (upgrade === undefined || this.#settled) {
      socket.destroy()
      return
    }
    this.#settled = true
    this.#log.status = head.status
    this.#log.firstByteMs = this.#log.elapsedMs()
    const { backend, websocketIdleMs } = this.#action
    const client = upgrade.exchange.accept(this.#toClient(head))
    backend.state.inFlight--
    backend.state.tunnels++
    upgrade.tunnels.open({
      client: client.socket,
      backend: socket,
      clientFirst: client.first,
      backendFirst: first,
      idleMs: websocketIdleMs,
      websocket: true,
      onClose: ({ reason, bytesIn, bytesOut }) => {
        backend.state.tunnels--
        this.#log.bytesIn = bytesIn
        this.#log.bytesOut = bytesOut
        if (reason !== 'closed') this.#log.fail(reason)
        this.#log.finish(true)
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
    this.#log.fail(reason)
    if (!this.#responder.headSent) this.#log.status = REASONS.client_gone.status
    this.#abortUpstream()
    this.#settle()
  }

  bodyBytes(count: number): void {
    this.#log.bytesIn += count
  }

  bodyFailed(reason: Reason): void {
    this.#abortUpstream()
    if (reason === 'client_gone') this.gone(reason)
    // RFC 9110 §15.5.9: it is the client that was too slow, not a gateway.
    else this.#answer(reason, reason === 'idle_timeout' ? 408 : REASONS[reason].status)
  }

  #toClient(head: ResponseHead): ResponseHead {
    const headers = buildResponseHeaders(this.#action.responseHeaders, {
      response: head,
      request: this.#request,
      requestId: this.#log.requestId,
      backend: this.#action.authority,
    })
    return { status: head.status, statusText: head.statusText, headers }
  }

  #timeOut(): void {
    this.#abortUpstream()
    this.#answer('response_timeout', REASONS.response_timeout.status)
  }

  #answer(reason: Reason, status: number): void {
    if (this.#settled) return
    this.#log.fail(reason)
    if (this.#responder.headSent) {
      this.#responder.abort()
      this.#settle()
      return
    }
    this.#log.status = status
    const { requestId } = this.#log
    const accept = findHeader(this.#request.headers, 'accept')
    this.#log.bytesOut = answerError(this.#responder, { reason, status, requestId, accept })
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
    this.#action.backend.state.inFlight--
    this.#log.finish(false)
  }
}
