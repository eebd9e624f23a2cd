import type { RequestHead } from '../exchange.ts'
import type { AccessLog } from '../log/access-log.ts'
import type { Reason } from '../reason.ts'

/** What a worker counts; read by the heartbeat. */
export interface ExchangeCounters {
  inFlight: number
  requests: number
}

/** Collects what becomes of one exchange and writes its one access-log line. */
export class ExchangeLog {
  readonly startedMs: number
  readonly requestId: string
  route: string | undefined
  backend: string | undefined
  attempts = 0
  status = 0
  reason: Reason | undefined
  bytesIn = 0
  bytesOut = 0
  connectMs: number | undefined
  firstByteMs: number | undefined
  #head: RequestHead
  #client: string
  #sink: AccessLog
  #counters: ExchangeCounters
  #done = false
  #finishers: (() => void)[] | undefined

  constructor(head: RequestHead, client: string, requestId: string, sink: AccessLog, counters: ExchangeCounters) {
    this.startedMs = performance.now()
    this.requestId = requestId
    this.#head = head
    this.#client = client
    this.#sink = sink
    this.#counters = counters
    counters.inFlight++
    counters.requests++
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

  /** Writes the line; every call but the first does nothing. */
  finish(tunnel: boolean): void {
    if (this.#done) return
    this.#done = true
    this.#counters.inFlight--
    const head = this.#head
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
      bytesIn: this.bytesIn,
      bytesOut: head.method === 'HEAD' ? 0 : this.bytesOut,
      totalMs: this.elapsedMs(),
      connectMs: this.connectMs,
      firstByteMs: this.firstByteMs,
      tunnel,
    })
    if (this.#finishers !== undefined) for (const callback of this.#finishers) callback()
  }
}
