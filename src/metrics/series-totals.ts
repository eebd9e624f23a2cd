import type { SeriesDelta } from './delta.ts'
import { BUCKET_COUNT } from './histogram.ts'
import { ROUTE_COUNT, ROUTE_SUM } from './layout.ts'

/** The last numbers of a route are those of the slice of time that runs, and of the one before. */
export const SLICE_MS = 10_000

/** Sums of one series over all workers since the daemon began. They never fall. */
export class SeriesTotals {
  readonly counts: Float64Array
  readonly sums: Float64Array

  constructor(countLength: number, sumLength: number) {
    this.counts = new Float64Array(countLength)
    this.sums = new Float64Array(sumLength)
  }

  add({ counts, sums }: SeriesDelta, _nowMs: number): void {
    for (let i = 0; i < counts.length; i += 2) addTo(this.counts, counts[i], counts[i + 1])
    for (const [place, amount] of sums.entries()) addTo(this.sums, place, amount)
  }
}

/** What a route did of late. */
export interface RecentTraffic {
  readonly requests: number
  readonly errors: number
  /** Histogram of response times. */
  readonly buckets: Uint32Array
}

interface Slice {
  requests: number
  errors: number
  readonly buckets: Uint32Array
}

/** A route's totals, and the same numbers of the last 10 to 20 seconds. */
export class RouteTotals extends SeriesTotals {
  #running = createSlice()
  #previous = createSlice()
  #number = 0

  constructor() {
    super(ROUTE_COUNT.length, ROUTE_SUM.length)
  }

  override add(delta: SeriesDelta, nowMs: number): void {
    super.add(delta, nowMs)
    this.#turn(nowMs)
    const slice = this.#running
    const { counts } = delta
    for (let i = 0; i < counts.length; i += 2) addToSlice(slice, counts[i] ?? 0, counts[i + 1] ?? 0)
  }

  get requests(): number {
    return sumOf(this.counts, ROUTE_COUNT.status, ROUTE_COUNT.reason)
  }

  get errors(): number {
    return this.counts[ROUTE_COUNT.errors] ?? 0
  }

  /** Response times since the beginning. */
  get buckets(): Float64Array {
    return this.counts.subarray(ROUTE_COUNT.total, ROUTE_COUNT.total + BUCKET_COUNT)
  }

  /** `nowMs` is the clock that `add` is called with. */
  recent(nowMs: number): RecentTraffic {
    this.#turn(nowMs)
    const [running, previous] = [this.#running, this.#previous]
    return {
      requests: running.requests + previous.requests,
      errors: running.errors + previous.errors,
      buckets: running.buckets.map((count, i) => count + (previous.buckets[i] ?? 0)),
    }
  }

  #turn(nowMs: number): void {
    const number = sliceNumber(nowMs)
    if (number === this.#number) return
    const free = this.#previous
    this.#previous = number === this.#number + 1 ? this.#running : createSlice()
    this.#running = clearSlice(free)
    this.#number = number
  }
}

/** How long the last slice and the running one are together, for a daemon that began at `startedMs` of the same clock. */
export function recentSpanMs(nowMs: number, startedMs: number): number {
  return nowMs - Math.max(startedMs, (sliceNumber(nowMs) - 1) * SLICE_MS)
}

export function sumOf(counts: ArrayLike<number>, from: number, until: number): number {
  let sum = 0
  for (let i = from; i < until; i++) sum += counts[i] ?? 0
  return sum
}

function sliceNumber(nowMs: number): number {
  return Math.floor(nowMs / SLICE_MS)
}

function createSlice(): Slice {
  return { requests: 0, errors: 0, buckets: new Uint32Array(BUCKET_COUNT) }
}

function clearSlice(slice: Slice): Slice {
  slice.requests = 0
  slice.errors = 0
  slice.buckets.fill(0)
  return slice
}

function addToSlice(slice: Slice, place: number, count: number): void {
  if (place < ROUTE_COUNT.reason) slice.requests += count
  else if (place === ROUTE_COUNT.errors) slice.errors += count
  else if (place >= ROUTE_COUNT.total && place < ROUTE_COUNT.connect) {
    addTo(slice.buckets, place - ROUTE_COUNT.total, count)
  }
}

// A worker of another build may count what this one does not know: writes past the end of a typed array do nothing.
function addTo(target: Float64Array | Uint32Array, place: number | undefined, amount: number | undefined): void {
  if (place !== undefined && amount !== undefined) target[place] = (target[place] ?? 0) + amount
}
