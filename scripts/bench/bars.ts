import { BASELINE, SUBJECT } from './contender.ts'
import { hasErrors } from './figures.ts'
import type { LoadName } from './load.ts'
import { findRow, type Results } from './results.ts'
import { pairedRatio } from './statistics.ts'
import { CORES_FOR_TWO_WORKERS } from './workers.ts'

/** What a run says about one bar. */
export interface Verdict {
  readonly name: string
  readonly limit: string
  readonly measured: string
  /** Undefined where the run does not tell. */
  readonly reached: boolean | undefined
}

interface Bar {
  readonly name: string
  /** At most, or with `atLeast` at least. */
  readonly limit: number
  readonly atLeast?: true
  readonly unit: string
  measure(results: Results): Measured
}

/** A value, or why there is none. */
type Measured = number | string

/** What stands in place of a figure that the run did not look for. */
export const NOT_MEASURED = 'not measured'
const BYTES_PER_KB = 1024

const BARS: readonly Bar[] = [
  cpuBar('GET, 64 connections: CPU, node:http in front', 'get-64', BASELINE, 1.8),
  cpuBar('GET, 64 connections: CPU, own reader in front', 'get-64', BASELINE, 1.35),
  cpuBar('GET, 64 connections: CPU', 'get-64', 'caddy', 0.5),
  cpuBar('GET, 64 connections: CPU', 'get-64', 'http-proxy-3', 0.35),
  { name: 'access log on: CPU over off', limit: 1.25, unit: '×', measure: measureAccessLog },
  cpuBar('1 MB response: CPU per byte', 'get-1m', BASELINE, 2),
  cpuBar('a connection for each request: CPU', 'close', BASELINE, 2.5),
  cpuBar('HTTPS keep-alive: CPU', 'https', BASELINE, 2.2),
  { name: `p99 at half of saturation, above ${BASELINE}'s`, limit: 1, unit: ' ms', measure: measureHalfRateGap },
  { name: '10,000 routes: CPU over 10 routes', limit: 1.1, unit: '×', measure: measureRouteGrowth },
  { name: 'balancing, health and rate limit: CPU over plain', limit: 1.15, unit: '×', measure: measureManagedCost },
  {
    name: 'reload of 1,000 routes',
    limit: 200,
    unit: ' ms',
    measure: ({ extras }) => extras.reload?.tookMs ?? NOT_MEASURED,
  },
  memoryBar('idle WebSocket pair', 'websocket', 20),
  memoryBar('idle keep-alive connection', 'keep-alive', 12),
  { name: 'two workers: throughput over one', limit: 1.8, atLeast: true, unit: '×', measure: measureThroughput },
  { name: 'two workers: CPU over one', limit: 1.1, unit: '×', measure: measureWorkerCost },
]

export function judge(results: Results): Verdict[] {
  return BARS.map(({ name, limit, atLeast, unit, measure }) => {
    const value = measure(results)
    const isKnown = typeof value === 'number' && !Number.isNaN(value)
    return {
      name,
      limit: `${atLeast ? '≥' : '≤'} ${limit}${unit}`,
      measured: isKnown ? `${round(value)}${unit}` : typeof value === 'string' ? value : NOT_MEASURED,
      reached: isKnown ? (atLeast ? value >= limit : value <= limit) : undefined,
    }
  })
}

/** CPU time per request of the subject over that of another, in the same rounds. */
function cpuBar(name: string, load: LoadName, other: string, limit: number): Bar {
  return {
    name: `${name}, of ${other}`,
    limit,
    unit: '×',
    measure: (results) => compare(results, [load, SUBJECT], [load, other]),
  }
}

function memoryBar(name: string, wanted: string, limit: number): Bar {
  return {
    name: `${name}: memory`,
    limit,
    unit: ' KB',
    measure({ extras }) {
      const found = extras.memory?.find(({ kind }) => kind === wanted)
      return found === undefined ? NOT_MEASURED : found.bytesEach / BYTES_PER_KB
    },
  }
}

type Place = readonly [load: LoadName, contender: string]

function compare(results: Results, [load, contender]: Place, [baseLoad, baseContender]: Place): Measured {
  const row = findRow(results, load, contender)
  const base = findRow(results, baseLoad, baseContender)
  if (row === undefined || base === undefined) return NOT_MEASURED
  if (hasErrors(row) || hasErrors(base)) return 'errors'
  const cost = ({ cpuMicros, requests }: (typeof row.samples)[number]) => cpuMicros && cpuMicros / requests
  return pairedRatio(row.samples.map(cost), base.samples.map(cost)) ?? NOT_MEASURED
}

function measureAccessLog(results: Results): Measured {
  return compare(results, ['get-64-log', SUBJECT], ['get-64', SUBJECT])
}

function measureHalfRateGap({ extras }: Results): Measured {
  const find = (name: string) => extras['half-rate']?.find(({ contender }) => contender === name)
  const [subject, base] = [find(SUBJECT), find(BASELINE)]
  if (subject === undefined || base === undefined) return NOT_MEASURED
  return hasErrors(subject) || hasErrors(base) ? 'errors' : subject.p99Ms - base.p99Ms
}

function measureRouteGrowth({ extras }: Results): Measured {
  const most = extras.routes?.at(-1)
  if (most?.cpuRatio === undefined) return NOT_MEASURED
  return extras.routes?.some(hasErrors) ? 'errors' : most.cpuRatio
}

function measureManagedCost({ extras: { managed } }: Results): Measured {
  if (managed === undefined) return NOT_MEASURED
  return hasErrors(managed) ? 'errors' : (managed.cpuRatio ?? NOT_MEASURED)
}

/** Where workers, load generator and backend share cores, throughput says nothing about the workers. */
function measureThroughput({ extras: { workers } }: Results): Measured {
  if (workers === undefined) return NOT_MEASURED
  if (hasErrors(workers)) return 'errors'
  const found = `${round(workers.throughputRatio ?? Number.NaN)}×`
  if (workers.cores < CORES_FOR_TWO_WORKERS) return `${found}, but needs ${CORES_FOR_TWO_WORKERS} cores`
  return workers.throughputRatio ?? NOT_MEASURED
}

function measureWorkerCost({ extras: { workers } }: Results): Measured {
  if (workers === undefined) return NOT_MEASURED
  return hasErrors(workers) ? 'errors' : (workers.cpuRatio ?? NOT_MEASURED)
}

function round(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}
