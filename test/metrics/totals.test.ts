import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MetricsDelta } from '../../src/metrics/delta.ts'
import { REASON_INDEX, ROUTE_COUNT, ROUTE_SUM } from '../../src/metrics/layout.ts'
import type { ExchangeOutcome } from '../../src/metrics/series.ts'
import { KEEP_GONE_MS, MAX_GONE } from '../../src/metrics/series-set.ts'
import { MetricsTotals } from '../../src/metrics/totals.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'

const OK: ExchangeOutcome = {
  status: 200,
  reason: undefined,
  bytesIn: 1,
  bytesOut: 10,
  connectMs: undefined,
  firstByteMs: undefined,
}

/** As it arrives in the primary. */
function overTheChannel(delta: MetricsDelta | undefined): MetricsDelta {
  return delta === undefined ? { routes: [], backends: [] } : JSON.parse(JSON.stringify(delta))
}

function count(worker: WorkerMetrics, name: string, outcome: Partial<ExchangeOutcome> = {}, totalMs = 4): void {
  worker.route(name).countExchange({ ...OK, ...outcome }, totalMs, false)
}

function countOf(totals: MetricsTotals, name: string, place: number): number | undefined {
  return totals.routes.get(name)?.counts[place]
}

test('what several workers counted is added up, and a worker that is gone stays counted', () => {
  const totals = new MetricsTotals()
  totals.name(['/api'], ['h:1'])
  for (let i = 0; i < 3; i++) {
    const worker = new WorkerMetrics()
    count(worker, '/api', { connectMs: 2, firstByteMs: 3 })
    count(worker, '/api', { status: 502, reason: 'connect_failed', bytesOut: 0 })
    worker.backend('h:1').countRequest()
    worker.backend('h:1').countFailure('connect_failed')
    totals.add(overTheChannel(worker.take()))
    assert.equal(worker.take(), undefined)
  }
  const route = totals.routes.get('/api')
  assert.equal(route?.requests, 6)
  assert.equal(route?.errors, 3)
  assert.equal(countOf(totals, '/api', ROUTE_COUNT.status + 2), 3)
  assert.equal(countOf(totals, '/api', ROUTE_COUNT.status + 5), 3)
  assert.equal(countOf(totals, '/api', ROUTE_COUNT.reason + REASON_INDEX.connect_failed), 3)
  assert.equal(route?.sums[ROUTE_SUM.bytesOut], 30)
  assert.equal(route?.sums[ROUTE_SUM.total], 24)
  assert.deepEqual([...(totals.backends.get('h:1')?.counts ?? [])].slice(0, 1), [3])
})

test('however often it is told, every exchange is counted exactly once', () => {
  const exchange = fc.record({
    name: fc.constantFrom('', 'a', 'b'),
    status: fc.constantFrom(0, 101, 200, 304, 404, 499, 503, 999),
    reason: fc.constantFrom(undefined, 'client_gone', 'backend_reset', 'no_route'),
    tell: fc.boolean(),
  })
  const check = fc.property(fc.array(exchange, { maxLength: 60 }), (exchanges) => {
    const worker = new WorkerMetrics()
    const series = { '': worker.unrouted, a: worker.route('a'), b: worker.route('b') }
    const totals = new MetricsTotals()
    for (const { name, status, reason, tell } of exchanges) {
      series[name as 'a'].countExchange({ ...OK, status, reason: reason as 'client_gone' | undefined }, 1, false)
      if (tell) totals.add(overTheChannel(worker.take()))
    }
    totals.add(overTheChannel(worker.take()))
    let failures = 0
    for (const { counts } of totals.routes.values()) {
      for (const place of Object.values(REASON_INDEX)) failures += counts[ROUTE_COUNT.reason + place] ?? 0
    }
    assert.equal(totals.report().total.requests, exchanges.length)
    assert.equal(failures, exchanges.filter(({ reason }) => reason !== undefined).length)
  })
  fc.assert(check, { numRuns: 200 })
})

for (const { name, outcome, isTunnel, errors } of [
  { name: 'an answer 5xx is an error', outcome: { status: 500 }, isTunnel: false, errors: 1 },
  {
    name: 'a response that the backend cut is an error',
    outcome: { reason: 'backend_reset' },
    isTunnel: false,
    errors: 1,
  },
  {
    name: 'a client that goes away is none',
    outcome: { status: 499, reason: 'client_gone' },
    isTunnel: false,
    errors: 0,
  },
  {
    name: 'a client that stalls in its body is none',
    outcome: { status: 408, reason: 'idle_timeout' },
    isTunnel: false,
    errors: 0,
  },
  {
    name: 'a tunnel that was silent for too long is none',
    outcome: { status: 101, reason: 'idle_timeout' },
    isTunnel: true,
    errors: 0,
  },
] as const) {
  test(name, () => {
    const worker = new WorkerMetrics()
    worker.unrouted.countExchange({ ...OK, ...outcome }, 1, isTunnel)
    const totals = new MetricsTotals()
    totals.add(overTheChannel(worker.take()))
    assert.equal(totals.report().total.errors, errors)
  })
}

test('the length of a tunnel and a kept connection are in no histogram', () => {
  const worker = new WorkerMetrics()
  worker.unrouted.countExchange({ ...OK, status: 101, connectMs: 0, firstByteMs: 2 }, 3_600_000, true)
  const [delta] = overTheChannel(worker.take()).routes
  assert.deepEqual(delta?.sums, [1, 10, 0, 0, 2])
})

test('rates and response times are of the last 10 to 20 seconds', () => {
  let nowMs = 1_000_000
  const totals = new MetricsTotals(() => nowMs)
  const worker = new WorkerMetrics()
  const tell = () => totals.add(overTheChannel(worker.take()))
  for (let i = 0; i < 300; i++) count(worker, '/a', i < 30 ? { status: 500 } : {}, 8)
  nowMs += 5_000
  tell()
  assert.equal(totals.report().spanMs, 5_000)
  assert.equal(totals.report().total.requestsPerSecond, 60)
  nowMs += 10_000
  const { spanMs, routes } = totals.report()
  assert.equal(spanMs, 15_000)
  assert.equal(routes[0]?.requestsPerSecond, 20)
  assert.equal(routes[0]?.errorRate, 0.1)
  const p50Ms = routes[0]?.recent.p50Ms ?? 0
  assert.ok(p50Ms > 7.2 && p50Ms < 8.8, `${p50Ms}`)
  nowMs += 10_000
  const later = totals.report().routes[0]
  assert.equal(later?.requestsPerSecond, 0)
  assert.equal(later?.errorRate, 0)
  assert.equal(later?.recent.p50Ms, undefined)
  assert.equal(later?.overall.p50Ms, p50Ms)
  assert.equal(later?.requests, 300)
})

test('a route that left the configuration goes on counting for an hour, and comes back where it was', () => {
  let nowMs = 0
  const totals = new MetricsTotals(() => nowMs)
  const worker = new WorkerMetrics()
  const tell = (name: string) => {
    count(worker, name)
    totals.add(overTheChannel(worker.take()))
  }
  totals.name(['a', 'b'], [])
  tell('a')
  tell('b')
  totals.name(['b'], [])
  nowMs += KEEP_GONE_MS - 1
  tell('a')
  assert.equal(totals.routes.get('a')?.requests, 2)
  totals.name(['a', 'b'], [])
  nowMs += KEEP_GONE_MS
  assert.equal(totals.routes.get('a')?.requests, 2)
  totals.name(['b'], [])
  nowMs += KEEP_GONE_MS
  assert.deepEqual([...totals.routes.keys()], ['b'])
  tell('a')
  assert.equal(totals.routes.get('a')?.requests, 1)
  nowMs += KEEP_GONE_MS
  assert.deepEqual([...totals.routes.keys()], ['b'])
  assert.equal(totals.report().total.requests, 4)
})

test('reloads that rename every route do not grow the scrape without end', () => {
  const totals = new MetricsTotals()
  const worker = new WorkerMetrics()
  for (let round = 0; round < MAX_GONE + 50; round++) {
    totals.name([`route ${round}`], [])
    count(worker, `route ${round}`)
    totals.add(overTheChannel(worker.take()))
  }
  assert.equal(totals.routes.size, MAX_GONE + 1)
  assert.equal(totals.routes.has(`route ${MAX_GONE + 49}`), true)
  assert.equal(totals.routes.has('route 0'), false)
})

test('counts that this build does not know are dropped', () => {
  const totals = new MetricsTotals()
  const sums = [...Array(ROUTE_SUM.length).fill(0), 7]
  totals.add({ routes: [{ name: 'a', counts: [ROUTE_COUNT.length + 5, 3], sums }], backends: [] })
  assert.equal(totals.routes.get('a')?.requests, 0)
})
