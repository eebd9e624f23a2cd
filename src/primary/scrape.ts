import { listUpstreams } from '../config/balancing-config.ts'
import type { Config } from '../config/config.ts'
import { BACKEND_CONDITIONS, type BackendReport } from '../ipc/control.ts'
import type { BackendGauges } from '../metrics/delta.ts'
import { formatFamily, formatHistograms, type Sample } from '../metrics/exposition.ts'
import { BUCKET_COUNT } from '../metrics/histogram.ts'
import { BACKEND_COUNT, REASON_LIST, ROUTE_COUNT, ROUTE_SUM, STATUS_CLASSES } from '../metrics/layout.ts'
import type { SeriesTotals } from '../metrics/series-totals.ts'
import type { MetricsTotals } from '../metrics/totals.ts'
import { nameBackend } from '../upstream/backend-authority.ts'
import { type Discovered, expandMembers } from '../upstream/discovery/discovered.ts'
import type { Reloader } from './reload.ts'
import type { Supervisor } from './supervisor.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What a configuration names, and what its names stand for: series of anything else are dropped some time after it. */
export function nameSeries(totals: MetricsTotals, config: Config, found: Discovered): void {
  totals.name(
    config.routes.map(({ name }) => name),
    [
      ...listUpstreams(config).flatMap(({ backends }) => expandMembers(backends, found).map(nameBackend)),
      ...config.routes.flatMap(({ forwardAuth }) =>
        forwardAuth === undefined ? [] : [nameBackend(forwardAuth.backend)],
      ),
    ],
  )
}

export interface ScrapeSource {
  readonly supervisor: Supervisor
  readonly totals: MetricsTotals
  readonly reloader: Reloader
  readonly health: readonly BackendReport[]
  readonly programVersion: string
  readonly startedAtMs: number
}

type Totals = ReadonlyMap<string, SeriesTotals>

/** Everything that this process knows, in the Prometheus text format; no worker is asked. */
export function renderMetrics(source: ScrapeSource): string {
  const { supervisor, totals, reloader, health, programVersion, startedAtMs } = source
  const workers = [...supervisor.workers].filter(({ phase }) => phase !== 'gone')
  return [
    renderRoutes(totals.routes),
    renderBackends(totals.backends, health, workers),
    renderWorkers(workers, supervisor.deaths),
    formatFamily('pyserve_reloads_total', labelled(reloader.results)),
    formatFamily('pyserve_config_version', single(supervisor.state.snapshot.version)),
    formatFamily('pyserve_config_last_reload_successful', single(reloader.last?.ok === false ? 0 : 1)),
    formatFamily('pyserve_config_last_reload_success_timestamp_seconds', single(reloader.lastSuccessAtMs / 1000)),
    formatFamily('pyserve_start_time_seconds', single(startedAtMs / 1000)),
    formatFamily('pyserve_build_info', [[[programVersion, process.version], 1]]),
  ].join('')
}

function renderRoutes(routes: Totals): string {
  return [
    formatFamily('pyserve_requests_total', listCounts(routes, ROUTE_COUNT.status, STATUS_CLASSES)),
    formatFamily('pyserve_exchange_failures_total', listCounts(routes, ROUTE_COUNT.reason, REASON_LIST)),
    formatHistograms('pyserve_request_duration_seconds', listHistograms(routes, ROUTE_COUNT.total, ROUTE_SUM.total)),
    formatHistograms(
      'pyserve_first_byte_duration_seconds',
      listHistograms(routes, ROUTE_COUNT.firstByte, ROUTE_SUM.firstByte),
    ),
    formatHistograms(
      'pyserve_connect_duration_seconds',
      listHistograms(routes, ROUTE_COUNT.connect, ROUTE_SUM.connect),
    ),
    formatFamily('pyserve_request_bytes_total', listSums(routes, ROUTE_SUM.bytesIn)),
    formatFamily('pyserve_response_bytes_total', listSums(routes, ROUTE_SUM.bytesOut)),
    formatFamily('pyserve_tunnels_opened_total', listCount(routes, ROUTE_COUNT.tunnels)),
  ].join('')
}

function renderBackends(backends: Totals, health: readonly BackendReport[], workers: readonly WorkerHandle[]): string {
  // One address may be two backends, with TLS settings of their own: what is wrong with either is told.
  const states = [...Map.groupBy(health, ({ name }) => name)].map(([name, reports]) => ({
    name,
    state: reports.find(({ state }) => state !== 'up')?.state ?? 'up',
  }))
  const gauges = addGauges(workers.flatMap((worker) => worker.gauges?.backends ?? []))
  return [
    formatFamily('pyserve_backend_requests_total', listCount(backends, BACKEND_COUNT.requests)),
    formatFamily('pyserve_backend_failures_total', listCounts(backends, BACKEND_COUNT.reason, REASON_LIST)),
    formatFamily(
      'pyserve_backend_up',
      states.map(({ name, state }): Sample => [[name], state === 'up' ? 1 : 0]),
    ),
    formatFamily(
      'pyserve_backend_state',
      states.flatMap(({ name, state }) =>
        BACKEND_CONDITIONS.map((condition): Sample => [[name, condition], condition === state ? 1 : 0]),
      ),
    ),
    formatFamily(
      'pyserve_backend_in_flight',
      gauges.map(({ name, inFlight }): Sample => [[name], inFlight]),
    ),
    formatFamily(
      'pyserve_backend_connections',
      gauges.flatMap(({ name, busy, idle, tunnels }): Sample[] => [
        [[name, 'busy'], busy],
        [[name, 'idle'], idle],
        [[name, 'tunnel'], tunnels],
      ]),
    ),
  ].join('')
}

function renderWorkers(workers: readonly WorkerHandle[], deaths: number): string {
  const sum = (read: (worker: WorkerHandle) => number | undefined) =>
    single(workers.reduce((total, worker) => total + (read(worker) ?? 0), 0))
  const states = { starting: 0, ready: 0, draining: 0 }
  // One slot has two workers while one replaces the other.
  const lagMs: Record<string, number> = {}
  const rssBytes: Record<string, number> = { primary: process.memoryUsage.rss() }
  for (const { phase, slot, stats, gauges } of workers) {
    if (phase !== 'gone') states[phase] += 1
    if (gauges) lagMs[slot] = Math.max(lagMs[slot] ?? 0, gauges.lagMs)
    if (stats) rssBytes[slot] = (rssBytes[slot] ?? 0) + stats.rssBytes
  }
  return [
    formatFamily(
      'pyserve_in_flight',
      sum(({ stats }) => stats?.inFlight),
    ),
    formatFamily(
      'pyserve_tunnels',
      sum(({ stats }) => stats?.tunnels),
    ),
    formatFamily(
      'pyserve_connections',
      sum(({ stats }) => stats?.connections),
    ),
    formatFamily('pyserve_workers', labelled(states)),
    formatFamily('pyserve_worker_restarts_total', single(deaths)),
    formatFamily(
      'pyserve_event_loop_lag_seconds',
      Object.entries(lagMs).map(([slot, ms]): Sample => [[slot], ms / 1000]),
    ),
    formatFamily('pyserve_resident_memory_bytes', labelled(rssBytes)),
  ].join('')
}

function single(value: number): Sample[] {
  return [[[], value]]
}

function labelled(values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([label, value]) => [[label], value])
}

/** One sample for each series. */
function* listCount(series: Totals, place: number): Generator<Sample> {
  for (const [name, { counts }] of series) yield [[name], counts[place] ?? 0]
}

/** One sample for each series and each of the labels that ever was counted. */
function* listCounts(series: Totals, place: number, labels: readonly string[]): Generator<Sample> {
  for (const [name, { counts }] of series) {
    for (const [i, label] of labels.entries()) {
      const count = counts[place + i] ?? 0
      if (count > 0) yield [[name, label], count]
    }
  }
}

function* listSums(series: Totals, place: number): Generator<Sample> {
  for (const [name, { sums }] of series) yield [[name], sums[place] ?? 0]
}

/** Those that have anything in them. */
function* listHistograms(series: Totals, place: number, sum: number) {
  for (const [name, { counts, sums }] of series) {
    const buckets = counts.subarray(place, place + BUCKET_COUNT)
    if (buckets.some((count) => count > 0)) yield { labels: [name], buckets, sumMs: sums[sum] ?? 0 }
  }
}

/** One for each backend, over all workers. */
function addGauges(gauges: readonly BackendGauges[]): BackendGauges[] {
  const sums = new Map<string, BackendGauges>()
  for (const { name, inFlight, tunnels, busy, idle } of gauges) {
    const sum = sums.get(name) ?? { name, inFlight: 0, tunnels: 0, busy: 0, idle: 0 }
    sums.set(name, {
      name,
      inFlight: sum.inFlight + inFlight,
      tunnels: sum.tunnels + tunnels,
      busy: sum.busy + busy,
      idle: sum.idle + idle,
    })
  }
  return [...sums.values()]
}
