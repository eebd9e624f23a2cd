import type { MetricsDelta } from './delta.ts'
import { BackendSeries, RouteSeries } from './series.ts'

/** What one worker counts. Several series may have the same name: it is added up where it is told to. */
export class WorkerMetrics {
  /** Exchanges under way. */
  inFlight = 0
  /** Exchanges since the worker started. */
  requests = 0
  readonly #routes: RouteSeries[] = []
  readonly #backends: BackendSeries[] = []
  /** For exchanges that met no route. */
  readonly unrouted = this.route('')

  route(name: string): RouteSeries {
    return new RouteSeries(name, this.#routes)
  }

  backend(name: string): BackendSeries {
    return new BackendSeries(name, this.#backends)
  }

  /** What was counted since the last call; undefined where that is nothing. */
  take(): MetricsDelta | undefined {
    if (this.#routes.length + this.#backends.length === 0) return undefined
    return {
      routes: this.#routes.splice(0).map((series) => series.take()),
      backends: this.#backends.splice(0).map((series) => series.take()),
    }
  }
}
