import type { Duplex } from 'node:stream'
import type { Responder, ResponderWatcher, ResponseHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import type { Attempt, UpgradeSink, UpstreamFailure } from '../upstream/engine.ts'
import { answerError } from './error-page.ts'
import type { ExchangeLog } from './exchange-log.ts'
import type { BodyWatcher } from './metered-body.ts'

/** The parts of a forwarding that depend on its route; made once per exchange by the pipeline. */
export interface ForwardPlan {
  /** The client's Accept field, for an error page. */
  readonly accept: string | undefined
  /** Milliseconds for the whole exchange; 0: no limit. */
  readonly totalMs: number
  responseHead(head: ResponseHead): ResponseHead
  /** The backend agreed to an upgrade; both sockets are the callee's. */
  switched(head: ResponseHead, socket: Duplex, first: Buffer): void
  /** The exchange ended, whichever way. */
  settled(): void
}

/**
 * One exchange on its way: relays the backend's response to the client and turns whatever fails into one answer, or,
 * once a head was sent, into a cut connection. A response is never ended as if it were whole when it is not.
 */
export class Forward implements UpgradeSink, ResponderWatcher, BodyWatcher {
  #plan: ForwardPlan
  #responder: Responder
  #log: ExchangeLog
  #attempt: Attempt | undefined
  #totalTimer: NodeJS.Timeout | undefined
  #upstreamOver = false
  #settled = false

  constructor(plan: ForwardPlan, responder: Responder, log: ExchangeLog) {
    this.#plan = plan
    this.#responder = responder
    this.#log = log
    responder.watch(this)
    if (plan.totalMs > 0) this.#totalTimer = setTimeout(() => this.#timeOut(), plan.totalMs).unref()
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
    this.#responder.inform(status, headers)
  }

  head(head: ResponseHead): void {
    this.#log.status = head.status
    this.#log.firstByteMs = this.#log.elapsedMs()
    this.#responder.head(this.#plan.responseHead(head))
  }

  data(chunk: Buffer): boolean {
    this.#log.bytesOut += chunk.length
    return this.#responder.write(chunk)
  }

  end(trailers: HeaderList): void {
    this.#endUpstream()
    this.#responder.end(trailers)
  }

  fail(failure: UpstreamFailure): void {
    this.#endUpstream()
    this.#answer(failure.reason, REASONS[failure.reason].status)
  }

  switched(head: ResponseHead, socket: Duplex, first: Buffer): void {
    this.#endUpstream()
    this.#settled = true
    this.#log.status = head.status
    this.#log.firstByteMs = this.#log.elapsedMs()
    this.#plan.switched(head, socket, first)
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
    this.#log.bytesOut = answerError(this.#responder, { reason, status, requestId, accept: this.#plan.accept })
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
    this.#plan.settled()
    this.#log.finish(false)
  }
}
