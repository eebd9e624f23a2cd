import type {
  BackendReport,
  ListenReport,
  ReloadReport,
  RouteReport,
  StatusReport,
  UpstreamReport,
  WorkerReport,
} from '../ipc/control.ts'
import { formatBackends } from './backends-report.ts'
import { formatBytes, formatCount, formatDuration } from './quantity.ts'
import { formatReload } from './reload-report.ts'
import { type Column, formatTable } from './table.ts'
import { formatTraffic } from './traffic-report.ts'

const WORKER_COLUMNS: readonly Column[] = [
  { title: 'WORKER', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'STATE', align: 'left' },
  { title: 'UP', align: 'right' },
  { title: 'GEN', align: 'right' },
  { title: 'CONNECTIONS', align: 'right' },
  { title: 'IN FLIGHT', align: 'right' },
  { title: 'TUNNELS', align: 'right' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'RSS', align: 'right' },
  { title: 'CRASHES', align: 'right' },
]

const ROUTE_COLUMNS: readonly Column[] = [
  { title: 'ROUTE', align: 'left' },
  { title: 'DOMAINS', align: 'left' },
  { title: 'PATH', align: 'left' },
  { title: 'METHODS', align: 'left' },
  { title: 'TARGET', align: 'left' },
]

/** The whole state for a person. Ends with a line break. */
export function formatStatus(status: StatusReport, nowMs: number): string {
  const facts: [string, string][] = [
    ['pid', `${status.pid}`],
    ['up', formatDuration(status.uptimeMs)],
    ['config', `${status.configFile} (version ${status.version}, generation ${status.generation})`],
    ['engine', status.engine],
    ['log', status.logFile ?? 'console only'],
  ]
  const lines = [
    `pyserve-ts ${status.programVersion} is ${status.state}, Node.js ${status.nodeVersion}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(8)}${value}`),
    ...status.listen.map(({ url }, index) => `  ${(index === 0 ? 'listen' : '').padEnd(8)}${url}`),
    ...(status.admin === undefined ? [] : [`  ${'admin'.padEnd(8)}${status.admin}`]),
    '',
    formatTable(
      WORKER_COLUMNS,
      status.workers.map((worker) => workerRow(worker, nowMs)),
    ),
  ]
  const traffic = formatTraffic(status.traffic)
  if (traffic !== '') lines.push('', traffic)
  if (status.paused.length > 0) lines.push('', formatPaused(status, nowMs))
  for (const upstream of status.upstreams) {
    if (upstream.shared || upstream.backends.length > 1) lines.push('', formatUpstream(upstream))
  }
  if (status.backends.some(isWorthALine)) lines.push('', formatBackends(status.backends, nowMs).trimEnd())
  if (status.crashLoop) lines.push('', 'workers keep dying: restarts are held back, see the log')
  if (status.lastReload) lines.push('', formatLastReload(status.lastReload, nowMs))
  return `${lines.join('\n').trimEnd()}\n`
}

/** What `start` and `run` say once every worker is ready. Ends with a line break. */
export function formatStarted(status: StatusReport): string {
  const ready = status.workers.filter(({ state }) => state === 'ready').length
  const lines = [
    `pyserve-ts ${status.programVersion} is running, pid ${status.pid}`,
    ...formatListen(status.listen),
    ...(status.admin === undefined ? [] : [`  admin   ${status.admin}`]),
    `  workers ${ready}`,
    `  config  ${status.configFile}`,
    `  log     ${status.logFile ?? 'console only'}`,
  ]
  return `${lines.join('\n')}\n`
}

/** Ends with a line break. */
export function formatRoutes(routes: readonly RouteReport[]): string {
  if (routes.length === 0) return 'no routes\n'
  const rows = routes.map(({ name, domains, path, methods, target }) => [
    name,
    domains.join(', ') || '*',
    path,
    methods.join(', ') || '*',
    target,
  ])
  return `${formatTable(ROUTE_COLUMNS, rows)}\n`
}

/** A backend that nobody checks and that is up is as it should be. */
function isWorthALine({ checked, state }: BackendReport): boolean {
  return checked || state !== 'up'
}

function formatPaused({ paused, workers }: StatusReport, nowMs: number): string {
  const routes = paused.map(({ route, until }) => {
    const leftMs = Math.max(0, Date.parse(until) - nowMs)
    return `${route} for ${formatDuration(leftMs)} more`
  })
  const held = workers.reduce((sum, { stats }) => sum + (stats?.held ?? 0), 0)
  return `paused: ${routes.join(', ')}; ${formatCount(held, 'request')} held`
}

/** A route with one backend stands in `routes`. */
function formatUpstream({ name, loadBalancing, backends }: UpstreamReport): string {
  return [`upstream ${name}, ${loadBalancing}`, ...backends.map((backend) => `  ${backend}`)].join('\n')
}

function formatListen(listen: readonly ListenReport[]): string[] {
  return listen.map(({ url }) => `  listen  ${url}`)
}

function workerRow({ id, pid, state, startedAt, generation, stats, crashes }: WorkerReport, nowMs: number): string[] {
  const measured = stats
    ? [stats.connections, stats.inFlight, stats.tunnels, stats.requests].map(String).concat(formatBytes(stats.rssBytes))
    : Array<string>(5).fill('-')
  const up = formatDuration(Math.max(0, nowMs - Date.parse(startedAt)))
  return [`${id}`, `${pid}`, state, up, `${generation}`, ...measured, `${crashes}`]
}

function formatLastReload(report: ReloadReport, nowMs: number): string {
  const ago = formatDuration(Math.max(0, nowMs - Date.parse(report.at)))
  return `last change, ${ago} ago by ${report.trigger}: ${formatReload(report)}`
}
