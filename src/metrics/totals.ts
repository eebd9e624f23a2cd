import type { MetricsDelta } from './delta.ts'
import { percentileMs } from './histogram.ts'
import { BACKEND_COUNT } from './layout.ts'
import { SeriesSet } from './series-set.ts'
import { type RecentTraffic, RouteTotals, recentSpanMs, SeriesTotals } from './series-totals.ts'
import type { LatencyReport, RouteTraffic, TrafficNumbers, TrafficReport } from './traffic.ts'

/** What all workers counted since the daemon began, those that are gone too. */
export class MetricsTotals {
  readonly #nowMs: () => number
  readonly #startedMs: number
  readonly #all = new RouteTotals()
  readonly #routes = new SeriesSet(() => new RouteTotals())
  readonly #backends = new SeriesSet(() => new SeriesTotals(BACKEND_COUNT.length, 0))

  /** `nowMs` is a clock that never goes back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#startedMs = nowMs()
  }

  get routes(): ReadonlyMap<string, RouteTotals> {
    return this.#routes.list(this.#nowMs())
  }

  get backends(): ReadonlyMap<string, SeriesTotals> {
    return this.#backends.list(this.#nowMs())
  }

  /** What the configuration names from now on. */
  name(routes: Iterable<string>, backends: Iterable<string>): void {
    const nowMs = this.#nowMs()
    this.#routes.name(['', ...routes], nowMs)
    this.#backends.name(backends, nowMs)
  }

  add({ routes, backends }: MetricsDelta): void {
    const nowMs = this.#nowMs()
    for (const delta of routes) {
      this.#routes.add(delta, nowMs)
      this.#all.add(delta, nowMs)
    }
    for (const delta of backends) this.#backends.add(delta, nowMs)
  }

  /** The busiest routes first. */
  report(): TrafficReport {
    const nowMs = this.#nowMs()
    const spanMs = recentSpanMs(nowMs, this.#startedMs)
    const routes = [...this.routes].map(([name, totals]): RouteTraffic => {
      return { name, ...describeTraffic(totals, nowMs, spanMs) }
    })
    return {
      spanMs,
      total: describeTraffic(this.#all, nowMs, spanMs),
      routes: routes.sort((a, b) => b.requestsPerSecond - a.requestsPerSecond || b.requests - a.requests),
    }
  }
}

function describeTraffic(totals: RouteTotals, nowMs: number, spanMs: number): TrafficNumbers {
  const { requests, errors } = totals
  const recent = totals.recent(nowMs)
  return {
    requests,
    errors,
    requestsPerSecond: spanMs > 0 ? (recent.requests * 1000) / spanMs : 0,
    errorRate: recent.requests > 0 ? recent.errors / recent.requests : 0,
    recent: describeLatency(recent.buckets),
    overall: describeLatency(totals.buckets),
  }
}

function describeLatency(buckets: RecentTraffic['buckets'] | Float64Array): LatencyReport {
  return {
    p50Ms: percentileMs(buckets, 0.5),
    p90Ms: percentileMs(buckets, 0.9),
    p99Ms: percentileMs(buckets, 0.99),
  }
}
