import type { SeriesDelta } from './delta.ts'
import type { SeriesTotals } from './series-totals.ts'

/** How long the series of what left the configuration is still told: longer than anybody waits between two scrapes. */
export const KEEP_GONE_MS = 3_600_000
/** Most of them; the oldest are dropped first. */
export const MAX_GONE = 1_000

/**
 * Series by name. What the configuration names is kept; what it names no more is kept for an hour, so that an exchange that
 * is still under way, or a route that comes back, goes on counting where it was.
 */
export class SeriesSet<T extends SeriesTotals> {
  readonly #create: () => T
  readonly #series = new Map<string, T>()
  /** When it was missed, the oldest first. */
  readonly #gone = new Map<string, number>()
  #named: ReadonlySet<string> = new Set()

  constructor(create: () => T) {
    this.#create = create
  }

  /** The names of the configuration from now on. Times are milliseconds of any clock. */
  name(names: Iterable<string>, nowMs: number): void {
    this.#named = new Set(names)
    for (const name of this.#gone.keys()) if (this.#named.has(name)) this.#gone.delete(name)
    for (const name of this.#series.keys()) {
      if (!this.#named.has(name) && !this.#gone.has(name)) this.#gone.set(name, nowMs)
    }
  }

  add(delta: SeriesDelta, nowMs: number): void {
    const { name } = delta
    let series = this.#series.get(name)
    if (series === undefined) {
      series = this.#create()
      this.#series.set(name, series)
      if (!this.#named.has(name)) this.#gone.set(name, nowMs)
    }
    series.add(delta, nowMs)
  }

  /** Those that are still to be told. */
  list(nowMs: number): ReadonlyMap<string, T> {
    for (const [name, sinceMs] of this.#gone) {
      if (this.#gone.size <= MAX_GONE && nowMs - sinceMs < KEEP_GONE_MS) break
      this.#gone.delete(name)
      this.#series.delete(name)
    }
    return this.#series
  }
}
