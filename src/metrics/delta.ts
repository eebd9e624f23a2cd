/** What was counted in one series since the last time it was told. Plain data: it crosses to the primary as JSON. */
export interface SeriesDelta {
  /** A route's name, or a backend's `host:port`: what makes it the same series in every worker and after a reload. */
  readonly name: string
  /** Place and count in turn, for the counts that are not 0. */
  readonly counts: readonly number[]
  /** All of them. */
  readonly sums: readonly number[]
}

/** What a worker counted since it told the last time. */
export interface MetricsDelta {
  /** '' is the name for exchanges that met no route. */
  readonly routes: readonly SeriesDelta[]
  readonly backends: readonly SeriesDelta[]
}

/** What is so now in one worker. */
export interface WorkerGauges {
  /** Longest time that something waited for the event loop, of the last seconds. */
  readonly lagMs: number
  /** Those with anything open. */
  readonly backends: readonly BackendGauges[]
}

export interface BackendGauges {
  readonly name: string
  /** Requests under way. */
  readonly inFlight: number
  readonly tunnels: number
  /** Connections of the engine's pool; 0 where it does not tell. */
  readonly busy: number
  readonly idle: number
}
