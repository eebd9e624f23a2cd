import type { RequestHead } from '../exchange.ts'
import type { AccessLog } from '../log/access-log.ts'
import type { RouteSeries } from '../metrics/series.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import type { Reason } from '../reason.ts'

/** Collects what becomes of one exchange, writes its one access-log line and counts it. */
export class ExchangeLog {
  readonly startedMs: number
  readonly requestId: string
  route: string | undefined
  backend: string | undefined
  /** That of the route, once there is one. */
  series: RouteSeries
  attempts = 0
  status = 0
  reason: Reason | undefined
  /** What a limit on trial would have done. */
  wouldRefuse: Reason | undefined
  bytesIn = 0
  bytesOut = 0
  /** What a content coding made of the body so far: that is what goes out; undefined where there is none. */
  encodedBytes: number | undefined
  connectMs: number | undefined
  firstByteMs: number | undefined
  #head: RequestHead
  #client: string
  #sink: AccessLog
  #metrics: WorkerMetrics
  #done = false
  #finishers: (() => void)[] | undefined

  constructor(head: RequestHead, client: string, requestId: string, sink: AccessLog, metrics: WorkerMetrics) {
    this.startedMs = performance.now()
    this.requestId = requestId
    this.#head = head
    this.#client = client
    this.#sink = sink
    this.#metrics = metrics
    this.series = metrics.unrouted
    metrics.inFlight++
    metrics.requests++
  }

  get done(): boolean {
    return this.#done
  }

  elapsedMs(): number {
    return performance.now() - this.startedMs
  }

  /** Keeps the first reason: what follows from it is not another failure. */
  fail(reason: Reason): void {
    this.reason ??= reason
  }

  /** Calls back when the exchange is over, however it ends. */
  onFinish(callback: () => void): void {
    this.#finishers ??= []
    this.#finishers.push(callback)
  }

  /** Writes the line and counts; every call but the first does nothing. */
  finish(tunnel: boolean): void {
    if (this.#done) return
    this.#done = true
    this.#metrics.inFlight--
    const head = this.#head
    if (head.method === 'HEAD') this.bytesOut = 0
    else if (this.encodedBytes !== undefined) this.bytesOut = this.encodedBytes
    const totalMs = this.elapsedMs()
    this.series.countExchange(this, totalMs, tunnel)
    this.#sink.write({
      requestId: this.requestId,
      client: this.#client,
      method: head.method,
      host: head.authority,
      target: head.target,
      protocol: `HTTP/${head.httpVersion}`,
      route: this.route,
      backend: this.backend,
      attempts: this.attempts,
      status: this.status,
      reason: this.reason,
      wouldRefuse: this.wouldRefuse,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      totalMs,
      connectMs: this.connectMs,
      firstByteMs: this.firstByteMs,
      tunnel,
    })
    if (this.#finishers !== undefined) for (const callback of this.#finishers) callback()
  }
}
