import { REASONS, type Reason } from '../reason.ts'
import type { SeriesDelta } from './delta.ts'
import { bucketOf } from './histogram.ts'
import { BACKEND_COUNT, REASON_INDEX, ROUTE_COUNT, ROUTE_SUM } from './layout.ts'

const NO_COUNTS = new Uint32Array(0)
const NO_SUMS = new Float64Array(0)
const CLASS_LIMIT = 600

/** What became of one exchange. Times are milliseconds; undefined: did not happen. */
export interface ExchangeOutcome {
  /** 0: no response. */
  readonly status: number
  readonly reason: Reason | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  /** 0: the connection was there already. */
  readonly connectMs: number | undefined
  readonly firstByteMs: number | undefined
}

/** Numbers that go under one name. Those that were never used have no memory; those that changed are on a list. */
class Series {
  readonly name: string
  sums = NO_SUMS
  #counts = NO_COUNTS
  /** Where the counts are that are not 0: few of them, between two calls of `take`. */
  readonly #places: number[] = []
  readonly #changed: Series[]
  readonly #countLength: number
  readonly #sumLength: number
  #isChanged = false

  constructor(name: string, changed: Series[], countLength: number, sumLength: number) {
    this.name = name
    this.#changed = changed
    this.#countLength = countLength
    this.#sumLength = sumLength
  }

  /** To be called before a number is changed. */
  touch(): void {
    if (this.#isChanged) return
    this.#isChanged = true
    this.#changed.push(this)
    if (this.#counts.length > 0) return
    this.#counts = new Uint32Array(this.#countLength)
    this.sums = new Float64Array(this.#sumLength)
  }

  /** What was counted since the last call. */
  take(): SeriesDelta {
    const counts: number[] = []
    for (const place of this.#places) {
      counts.push(place, this.#counts[place] ?? 0)
      this.#counts[place] = 0
    }
    this.#places.length = 0
    const sums = Array.from(this.sums)
    this.sums.fill(0)
    this.#isChanged = false
    return { name: this.name, counts, sums }
  }

  protected increment(place: number): void {
    const count = this.#counts[place] ?? 0
    if (count === 0) this.#places.push(place)
    this.#counts[place] = count + 1
  }
}

/** What is counted of a route. */
export class RouteSeries extends Series {
  constructor(name: string, changed: RouteSeries[]) {
    super(name, changed, ROUTE_COUNT.length, ROUTE_SUM.length)
  }

  /** To be called once for each exchange, at its end. A tunnel's length is no response time: it is left out. */
  countExchange(outcome: ExchangeOutcome, totalMs: number, isTunnel: boolean): void {
    this.touch()
    const { sums } = this
    const { status, reason, connectMs, firstByteMs } = outcome
    this.increment(ROUTE_COUNT.status + (status < CLASS_LIMIT ? Math.trunc(status / 100) : 0))
    if (reason !== undefined) this.increment(ROUTE_COUNT.reason + REASON_INDEX[reason])
    if (status >= 500 || (!isTunnel && isCut(reason, status))) this.increment(ROUTE_COUNT.errors)
    add(sums, ROUTE_SUM.bytesIn, outcome.bytesIn)
    add(sums, ROUTE_SUM.bytesOut, outcome.bytesOut)
    if (!isTunnel) this.#observe(ROUTE_COUNT.total, ROUTE_SUM.total, totalMs)
    if (connectMs !== undefined && connectMs > 0) {
      this.#observe(ROUTE_COUNT.connect, ROUTE_SUM.connect, connectMs)
    }
    if (firstByteMs !== undefined) this.#observe(ROUTE_COUNT.firstByte, ROUTE_SUM.firstByte, firstByteMs)
  }

  countTunnel(): void {
    this.touch()
    this.increment(ROUTE_COUNT.tunnels)
  }

  #observe(place: number, sum: number, ms: number): void {
    this.increment(place + bucketOf(ms))
    add(this.sums, sum, ms)
  }
}

/** What is counted of a backend, attempt by attempt. */
export class BackendSeries extends Series {
  constructor(name: string, changed: BackendSeries[]) {
    super(name, changed, BACKEND_COUNT.length, 0)
  }

  countRequest(): void {
    this.touch()
    this.increment(BACKEND_COUNT.requests)
  }

  countFailure(reason: Reason): void {
    this.touch()
    this.increment(BACKEND_COUNT.reason + REASON_INDEX[reason])
  }
}

/** The response had begun, and the backend did not bring it to its end. */
function isCut(reason: Reason | undefined, status: number): boolean {
  return reason !== undefined && status < 400 && REASONS[reason].source === 'upstream'
}

function add(sums: Float64Array, place: number, amount: number): void {
  sums[place] = (sums[place] ?? 0) + amount
}
