import { formatProblem } from '../config/problem-format.ts'
import type { ReloadReport, WorkerResult } from '../ipc/control.ts'
import { formatCount, formatDuration } from './quantity.ts'

const DONE = {
  none: 'nothing to change',
  swap: 'swapped in place',
  scale: 'worker count changed',
  roll: 'workers replaced one by one',
} as const

/** What a reload or a rolling restart did, or why the old state was kept. Ends with a line break. */
export function formatReload(report: ReloadReport): string {
  const lines = [formatHeadline(report)]
  for (const name of report.routes.added) lines.push(`  + route ${name}`)
  for (const name of report.routes.changed) lines.push(`  ~ route ${name}`)
  for (const name of report.routes.removed) lines.push(`  - route ${name}`)
  for (const key of report.changedKeys) lines.push(`  ~ ${key}`)
  for (const worker of report.workers) lines.push(`  ${formatWorker(worker)}`)
  if (report.error !== undefined) lines.push(`error: ${report.error}`)
  for (const problem of [...report.problems, ...report.warnings]) lines.push(formatProblem(problem))
  return `${lines.join('\n')}\n`
}

function formatHeadline({ ok, trigger, kind, tookMs, version, routes }: ReloadReport): string {
  const noun = trigger === 'restart' ? 'restart' : 'reload'
  const took = formatDuration(tookMs)
  if (!ok) return `${noun} failed after ${took}, version ${version} serves on as before`
  if (noun === 'restart') return `restarted in ${took}: ${DONE[kind]}, version ${version}`
  const count = routes.added.length + routes.changed.length + routes.removed.length
  const what = kind === 'none' || count === 0 ? '' : `, ${formatCount(count, 'route')}`
  return `reloaded in ${took}: ${DONE[kind]}${what}, version ${version}`
}

function formatWorker({ id, pid, ok, tookMs, problem }: WorkerResult): string {
  const result = ok ? `ok, ${formatDuration(tookMs)}` : `failed: ${problem ?? 'no reason given'}`
  return `worker ${id} (pid ${pid}): ${result}`
}
