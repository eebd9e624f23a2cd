import type { BackendReport } from '../ipc/control.ts'
import { formatDuration } from './quantity.ts'
import { type Column, formatTable } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'BACKEND', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'FOR', align: 'right' },
  { title: 'LAST CHECK', align: 'left' },
  { title: 'UPSTREAMS', align: 'left' },
  { title: 'WHY', align: 'left' },
]

/** Ends with a line break. */
export function formatBackends(backends: readonly BackendReport[], nowMs: number): string {
  if (backends.length === 0) return 'no backends\n'
  return `${formatTable(
    COLUMNS,
    backends.map((backend) => row(backend, nowMs)),
  )}\n`
}

function row(backend: BackendReport, nowMs: number): string[] {
  const { name, state, since, upstreams, why } = backend
  return [name, state, agoOf(since, nowMs), describeCheck(backend, nowMs), [...new Set(upstreams)].join(', '), why]
}

function describeCheck({ checked, lastCheck }: BackendReport, nowMs: number): string {
  if (lastCheck === undefined) return checked ? 'to come' : '-'
  return `${lastCheck.why === '' ? 'good' : 'failed'} ${agoOf(lastCheck.at, nowMs)} ago`
}

function agoOf(time: string, nowMs: number): string {
  return formatDuration(Math.max(0, nowMs - Date.parse(time)))
}
