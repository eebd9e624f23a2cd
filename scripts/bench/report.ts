import { type Column, formatTable } from '../../src/cli/table.ts'
import { judge, NOT_MEASURED, type Verdict } from './bars.ts'
import { BASELINE } from './contender.ts'
import { hasErrors, type Row } from './figures.ts'
import { LOADS } from './load.ts'
import type { Machine } from './machine.ts'
import { findRow, type Results } from './results.ts'

const MEGABYTE = 1_048_576
/** Less leaves code of Node's that is not compiled yet. */
const ENOUGH_WARM_UP_SECONDS = 3

const ROW_COLUMNS: readonly Column[] = [
  { title: 'LOAD', align: 'left' },
  { title: 'CONTENDER', align: 'left' },
  { title: 'CPU µs', align: 'right' },
  { title: `× ${BASELINE}`, align: 'right' },
  { title: 'µs/MB', align: 'right' },
  { title: 'REQ/s', align: 'right' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'RSS MB', align: 'right' },
  { title: 'ERRORS', align: 'left' },
]

const BAR_COLUMNS: readonly Column[] = [
  { title: 'BAR', align: 'left' },
  { title: 'LIMIT', align: 'right' },
  { title: 'MEASURED', align: 'right' },
  { title: 'REACHED', align: 'left' },
]

/** The whole run for a terminal. Ends with a line break. */
export function formatResults(results: Results): string {
  const parts = [describeRun(results)]
  const rows = orderByLoad(results.rows)
  if (rows.length > 0) parts.push(formatTable(ROW_COLUMNS, rows.map(formatRow)))
  parts.push(...formatExtras(results), formatTable(BAR_COLUMNS, judgeMeasured(results).map(formatVerdict)))
  if (results.leftOut.length > 0) {
    parts.push(results.leftOut.map(({ name, reason }) => `left out: ${name}: ${reason}`).join('\n'))
  }
  return `${parts.join('\n\n')}\n`
}

/** The tables of README: what a request costs, with the ratio to the baseline, and the bars. */
export function formatMarkdown(results: Results): string {
  const contenders = [...new Set(results.rows.map(({ contender }) => contender))]
  const loads = [...new Set(orderByLoad(results.rows).map(({ load }) => load))]
  const rows = loads.map((load) => [
    LOADS[load].title,
    ...contenders.map((contender) => formatCost(findRow(results, load, contender))),
  ])
  const extras = formatExtras(results).map((text) => `- ${text.replaceAll('\n', '\n- ')}`)
  return [
    `\`${results.command}\`, ${describeMachine(results.machine)}. CPU µs per request, and over ${BASELINE}'s:`,
    markdownTable(['', ...contenders], rows),
    ...(extras.length > 0 ? [extras.join('\n')] : []),
    markdownTable(['bar', 'limit', 'measured', 'reached'], judgeMeasured(results).map(formatVerdict)),
  ].join('\n\n')
}

/** Without the bars that a partial run does not touch. */
function judgeMeasured(results: Results): Verdict[] {
  return judge(results).filter(({ measured }) => measured !== NOT_MEASURED)
}

function orderByLoad(rows: readonly Row[]): Row[] {
  const order = Object.keys(LOADS)
  return rows.toSorted((a, b) => order.indexOf(a.load) - order.indexOf(b.load))
}

function describeRun({ command, machine, options: { rounds, seconds, warmUpSeconds } }: Results): string {
  const caution = warmUpSeconds < ENOUGH_WARM_UP_SECONDS ? '; too short for more than a first look' : ''
  return `${command}\n${describeMachine(machine)}\nmedians of ${rounds} interleaved rounds of ${seconds} s${caution}`
}

function describeMachine({ cores, cpu, kernel, node, versions, date }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [`${cores} × ${cpu}`, kernel, `Node ${node}`, ...programs, date].join(', ')
}

function formatRow(row: Row, index: number, rows: readonly Row[]): string[] {
  const isFirst = rows[index - 1]?.load !== row.load
  return [
    isFirst ? row.load : '',
    row.contender,
    formatNumber(row.cpuMicrosPerRequest, 1),
    formatNumber(row.cpuRatio, 2),
    formatNumber(row.cpuMicrosPerMegabyte, 0),
    formatNumber(row.requestsPerSecond, 0),
    formatNumber(row.p50Ms, 2),
    formatNumber(row.p99Ms, 2),
    formatNumber(row.rssBytes && row.rssBytes / MEGABYTE, 0),
    hasErrors(row) ? `! ${formatErrors(row.errors)}` : '',
  ]
}

function formatCost(row: Row | undefined): string {
  if (row?.cpuMicrosPerRequest === undefined) return '–'
  const ratio = row.cpuRatio === undefined ? '' : ` (${row.cpuRatio.toFixed(2)})`
  return `${row.cpuMicrosPerRequest.toFixed(1)}${ratio}${hasErrors(row) ? ' with errors' : ''}`
}

function formatVerdict({ name, limit, measured, reached }: Verdict): string[] {
  return [name, limit, measured, reached === undefined ? '–' : reached ? 'yes' : 'no']
}

/** A line or more for each. */
function formatExtras({ extras }: Results): string[] {
  const { 'half-rate': halfRate, routes, managed, memory, reload, start, workers } = extras
  const lines: string[] = []
  for (const { contender, saturationPerSecond, requestsPerSecond, p50Ms, p99Ms, errors } of halfRate ?? []) {
    const rates = `${requestsPerSecond.toFixed(0)} of ${saturationPerSecond.toFixed(0)} requests/s`
    lines.push(`${contender} at ${rates}: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms${note(errors)}`)
  }
  for (const { routes: count, cpuMicrosPerRequest, cpuRatio, errors } of routes ?? []) {
    const cost = formatNumber(cpuMicrosPerRequest, 1)
    lines.push(`${count} routes: ${cost} µs per request, ${formatNumber(cpuRatio, 2)} × the fewest${note(errors)}`)
  }
  if (managed) {
    const { plainMicros, managedMicros, cpuRatio, errors } = managed
    const costs = `${formatNumber(managedMicros, 1)} µs per request, plain ${formatNumber(plainMicros, 1)} µs`
    const ratio = `${formatNumber(cpuRatio, 2)} ×`
    lines.push(`balancing over 4 backends, health checks and a rate limit: ${costs}, ${ratio}${note(errors)}`)
  }
  for (const { kind, connections, bytesEach } of memory ?? []) {
    lines.push(`${connections} idle connections, ${kind}: ${(bytesEach / 1024).toFixed(1)} KB each`)
  }
  if (reload) {
    const { routes: count, tookMs, commandMs } = reload
    lines.push(`reload of ${count} routes: ${tookMs.toFixed(0)} ms; the whole command ${commandMs.toFixed(0)} ms`)
  }
  if (start !== undefined) lines.push(`start to ready: ${start.toFixed(0)} ms`)
  if (workers) {
    const { cores, throughputRatio, cpuRatio, errors } = workers
    const ratios = `throughput ${formatNumber(throughputRatio, 2)} ×, CPU per request ${formatNumber(cpuRatio, 2)} ×`
    lines.push(`two workers over one: ${ratios}, on ${cores} cores that the load shares${note(errors)}`)
  }
  return lines.length > 0 ? [lines.join('\n')] : []
}

function note(errors: Row['errors']): string {
  return Object.keys(errors).length > 0 ? `, ! ${formatErrors(errors)}` : ''
}

function formatErrors(errors: Row['errors']): string {
  return Object.entries(errors)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}

function formatNumber(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)
}

function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(titles), `|${'---|'.repeat(titles.length)}`, ...rows.map(line)].join('\n')
}
