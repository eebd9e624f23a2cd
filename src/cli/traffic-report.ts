import type { RouteTraffic, TrafficNumbers, TrafficReport } from '../metrics/traffic.ts'
import { formatDuration } from './quantity.ts'
import { type Column, formatTable } from './table.ts'

const MOST_ROUTES = 10

const COLUMNS: readonly Column[] = [
  { title: 'ROUTE', align: 'left' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'PER SECOND', align: 'right' },
  { title: 'ERRORS', align: 'right' },
  { title: 'P50', align: 'right' },
  { title: 'P90', align: 'right' },
  { title: 'P99', align: 'right' },
]

/** The whole and the busiest routes; '' where there never was a request. */
export function formatTraffic({ spanMs, total, routes }: TrafficReport): string {
  if (total.requests === 0) return ''
  const shown = routes.slice(0, MOST_ROUTES)
  const rows = [row('all', total), ...shown.map((route) => row(nameOf(route), route))]
  const left = routes.length - shown.length
  return [
    `traffic of the last ${formatDuration(spanMs)}; requests since the start`,
    formatTable(COLUMNS, rows),
    ...(left === 0 ? [] : [`and ${left} more: status --json`]),
  ].join('\n')
}

function nameOf({ name }: RouteTraffic): string {
  return name === '' ? '(no route)' : name
}

function row(name: string, { requests, requestsPerSecond, errorRate, recent }: TrafficNumbers): string[] {
  const { p50Ms, p90Ms, p99Ms } = recent
  const errors = requestsPerSecond === 0 ? '-' : `${formatFigures(errorRate * 100)} %`
  return [name, `${requests}`, formatFigures(requestsPerSecond), errors, ...[p50Ms, p90Ms, p99Ms].map(formatLatency)]
}

function formatLatency(ms: number | undefined): string {
  if (ms === undefined) return '-'
  return ms < 1000 ? `${formatFigures(ms)} ms` : formatDuration(ms)
}

/** Two figures or more: 0, 0.25, 1.5, 12, 340. */
function formatFigures(value: number): string {
  if (value === 0 || value >= 10) return value.toFixed(0)
  return value >= 1 ? value.toFixed(1) : value.toFixed(2)
}
