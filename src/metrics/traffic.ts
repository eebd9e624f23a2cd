/** Rates and response times as `status` shows them. Plain data. */
export interface TrafficReport {
  /** How long a time the rates and the recent response times are of: 10 to 20 s, less right after the start. */
  readonly spanMs: number
  readonly total: TrafficNumbers
  /** Those that ever had a request; '' is the name for exchanges that met no route. */
  readonly routes: readonly RouteTraffic[]
}

export interface RouteTraffic extends TrafficNumbers {
  readonly name: string
}

export interface TrafficNumbers {
  /** Since the daemon began. */
  readonly requests: number
  /** Answered 5xx, or cut by a fault of the backend; since the daemon began. */
  readonly errors: number
  readonly requestsPerSecond: number
  /** Errors among the recent requests, 0 to 1. */
  readonly errorRate: number
  readonly recent: LatencyReport
  /** Since the daemon began. */
  readonly overall: LatencyReport
}

/** Response times, tunnels left out, within 9.1 %; undefined where there was no response. */
export interface LatencyReport {
  readonly p50Ms: number | undefined
  readonly p90Ms: number | undefined
  readonly p99Ms: number | undefined
}
