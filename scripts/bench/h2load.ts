import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { percentile } from './statistics.ts'
import type { LoadResult, Window } from './window.ts'

const WARM_UP = '200ms'

export interface H2loadOptions {
  readonly url: string
  readonly connections: number
  readonly seconds: number
}

/**
 * Runs h2load once, with HTTP/1.1. It says when its connections are open and when its time is over, so that handshakes
 * stay outside of the window. Rejects where it prints no result.
 */
export async function runH2load(lab: Lab, options: H2loadOptions, window: Window): Promise<LoadResult> {
  const { url, connections, seconds } = options
  const log = join(lab.dir, 'h2load.log')
  rmSync(log, { force: true })
  const args = ['--h1', '-t1', `-c${connections}`, `-D${Math.round(seconds * 1000)}ms`]
  const { stdout, stderr } = await lab.run('h2load', [...args, `--warm-up-time=${WARM_UP}`, `--log-file=${log}`, url], {
    line(text) {
      if (text.startsWith('Main benchmark duration is started')) window.open()
      if (text.startsWith('Main benchmark duration is over')) window.close()
    },
  })
  const result = parseH2load(stdout, readFileSync(log, 'utf8'), seconds)
  if (result === undefined) throw new Error(`h2load ${url} failed: ${(stderr || stdout).trim().slice(-500)}`)
  return result
}

/**
 * Reads what h2load prints and its log, a line of `start, status, microseconds` for each request. Undefined where the
 * output has no result.
 */
export function parseH2load(output: string, log: string, seconds: number): LoadResult | undefined {
  const counts = /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(output)
  if (counts === null) return undefined
  const [, requests, failed, errored, timeout] = counts
  const bytes = /^traffic: \S+ \((\d+)\) total/m.exec(output)?.[1]
  const micros = Float64Array.from(log.trimEnd().split('\n'), (line) => Number(line.split('\t')[2])).sort()
  const errors = { failed: Number(failed), errored: Number(errored), timeout: Number(timeout) }
  return {
    requests: Number(requests),
    bytes: Number(bytes ?? 0),
    seconds,
    p50Micros: percentile(micros, 50),
    p99Micros: percentile(micros, 99),
    errors: Object.fromEntries(Object.entries(errors).filter(([, count]) => count > 0)),
  }
}
