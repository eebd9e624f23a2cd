import type { Backend } from '../upstream/backend.ts'
import type { Attempt, UpgradeSink, UpstreamEngine, UpstreamReason, UpstreamRequest } from '../upstream/engine.ts'
import { noteFirstByte, noteNoAnswer } from '../upstream/latency.ts'
import type { Arrival } from './arrival.ts'
import { buildRequestHeaders } from './headers/request-headers.ts'
import type { BodyWatcher } from './metered-body.ts'
import { OutgoingBody } from './outgoing-body.ts'
import { Retries } from './retries.ts'
import type { NoSeat } from './seating.ts'
import type { ProxyAction } from './world.ts'

const NONE: readonly Backend[] = []

/** Hears what attempts come to. */
export interface AttemptsSink extends UpgradeSink, BodyWatcher {
  /** There is no backend to ask. */
  unavailable(reason: NoSeat): void
}

/** The backend's side of one exchange: one attempt after another, until one is answered or none is left. */
export class Attempts {
  readonly #engine: UpstreamEngine
  readonly #action: ProxyAction
  readonly #arrival: Arrival
  readonly #path: string
  readonly #sink: AttemptsSink
  readonly #body: OutgoingBody | undefined
  /** That of the attempt under way, or the last one; undefined between two. */
  #backend: Backend | undefined
  #attempt: Attempt | undefined
  #isOver = true
  /** The backend whose open circuit let this exchange through, until it is known how that went. */
  #probed: Backend | undefined
  /** Only where the upstream is timed. */
  #sentAtMs = 0
  /** Undefined until an attempt failed. */
  #retries: Retries | undefined
  /** Gives the place at the backend back; undefined where places are not counted. */
  #leave: (() => void) | undefined
  #stopWaiting: (() => void) | undefined

  /** `path`: the target for the backend. */
  constructor(engine: UpstreamEngine, action: ProxyAction, arrival: Arrival, path: string, sink: AttemptsSink) {
    this.#engine = engine
    this.#action = action
    this.#arrival = arrival
    this.#path = path
    this.#sink = sink
    this.#body = arrival.body && new OutgoingBody(arrival.body, action, arrival.head.method, sink)
  }

  get backend(): Backend | undefined {
    return this.#backend
  }

  begin(): void {
    this.#action.retry?.budget.noteRequest()
    if (this.#action.seating !== undefined) {
      this.#waitForSeat(NONE)
      return
    }
    const backend = this.#pick(NONE)
    if (backend === undefined) this.#sink.unavailable('no_backend')
    else {
      this.#claim(backend)
      this.#send(backend)
    }
  }

  /** Goes on with another backend, where the route allows it; `requestSent`: the last one may have seen the request. */
  retry(requestSent: boolean): boolean {
    const { retry } = this.#action
    const backend = this.#backend
    if (retry === undefined || backend === undefined) return false
    if (requestSent && !retry.methods.has(this.#arrival.head.method)) return false
    if (this.#body?.canRestart === false) return false
    this.#retries ??= new Retries(retry)
    const retries = this.#retries
    retries.tried.push(backend)
    const next = retries.areLeft ? this.#pick(retries.tried) : undefined
    if (next === undefined || !retries.take()) return false
    this.abort()
    this.#body?.detach()
    this.release()
    if (this.#action.seating === undefined) this.#claim(next)
    // The place at the backend that was found may be taken by now.
    retries.schedule(() => (this.#action.seating === undefined ? this.#send(next) : this.#waitForSeat(retries.tried)))
    return true
  }

  /** A response head came. */
  answered(status: number): void {
    const { passive, upstream } = this.#action
    if (passive !== undefined && this.#backend !== undefined) {
      passive.answered(this.#backend, status, this.#endProbe())
    }
    if (upstream.isTimed) this.#noteTime(true)
  }

  /** The attempt failed before there was a response. */
  failed(reason: UpstreamReason): void {
    const { passive, upstream } = this.#action
    if (passive !== undefined && this.#backend !== undefined) {
      passive.failed(this.#backend, reason, this.#endProbe())
    }
    if (upstream.isTimed) this.#noteTime(false)
  }

  resume(): void {
    this.#attempt?.resume()
  }

  /** The attempt under way came to its end by itself. */
  ended(): void {
    this.#isOver = true
    this.#attempt = undefined
  }

  abort(): void {
    const attempt = this.#attempt
    this.ended()
    attempt?.abort()
  }

  /** No attempt follows. */
  stop(): void {
    this.#retries?.end()
    this.#stopWaiting?.()
    if (this.#probed === undefined) return
    this.#action.passive?.abandon(this.#probed)
    this.#probed = undefined
  }

  /** The backend is done with: it does not count for it any more. */
  release(): void {
    this.keepPlace()?.()
  }

  /** Like `release`, but for the place there, which is the caller's to leave; undefined: places are not counted. */
  keepPlace(): (() => void) | undefined {
    const leave = this.#leave
    if (this.#backend !== undefined) this.#backend.state.inFlight--
    this.#backend = undefined
    this.#leave = undefined
    return leave
  }

  #pick(tried: readonly Backend[]): Backend | undefined {
    return this.#action.upstream.pick(this.#arrival, tried)
  }

  #waitForSeat(tried: readonly Backend[]): void {
    this.#stopWaiting = this.#action.seating?.enter(this.#arrival, tried, (outcome) => {
      this.#stopWaiting = undefined
      if (typeof outcome === 'string') {
        this.#sink.unavailable(outcome)
        return
      }
      // Another exchange was let through while the place was found.
      if (!this.#claim(outcome.backend)) {
        outcome.leave()
        this.#waitForSeat(tried)
        return
      }
      this.#leave = outcome.leave
      this.#send(outcome.backend)
    })
  }

  /** An open circuit lets one attempt through: this one, unless it is false. What was picked just now may be claimed. */
  #claim(backend: Backend): boolean {
    const { passive } = this.#action
    const { openUntilMs } = backend.state
    if (openUntilMs === 0 || passive === undefined) return true
    if (openUntilMs > performance.now()) return false
    passive.probe(backend)
    this.#probed = backend
    return true
  }

  /** Whether the attempt under way was the probe; it is not any more. */
  #endProbe(): boolean {
    const isProbe = this.#probed !== undefined
    this.#probed = undefined
    return isProbe
  }

  #noteTime(hasAnswered: boolean): void {
    const state = this.#backend?.state
    if (state === undefined) return
    const nowMs = performance.now()
    if (hasAnswered) noteFirstByte(state, nowMs - this.#sentAtMs, nowMs)
    else noteNoAnswer(state, nowMs - this.#sentAtMs, nowMs)
  }

  #send(backend: Backend): void {
    const { log, upgrade } = this.#arrival
    this.#backend = backend
    backend.state.inFlight++
    backend.series.countRequest()
    log.backend = backend.name
    log.attempts++
    this.#isOver = false
    if (this.#action.upstream.isTimed) this.#sentAtMs = performance.now()
    const { attempts } = log
    const request = this.#requestFor(backend)
    const attempt =
      upgrade === undefined
        ? this.#engine.request(backend, request, this.#sink)
        : this.#engine.upgrade(backend, request, this.#sink)
    // Engines are allowed to fail at once, and another attempt may be under way then.
    if (this.#isOver || attempts !== log.attempts) attempt.abort()
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
    return { method: head.method, path: this.#path, headers, body: this.#body?.source, timeouts }
  }
}
