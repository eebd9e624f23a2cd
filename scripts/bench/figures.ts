import type { LoadName } from './load.ts'
import { median, pairedRatio } from './statistics.ts'
import type { Sample } from './window.ts'

const MEGABYTE = 1_048_576

/** One contender under one load: the medians of its rounds. */
export interface Row {
  readonly load: LoadName
  readonly contender: string
  /** Undefined where a process ended in every window, or no request completed. */
  readonly cpuMicrosPerRequest: number | undefined
  /** Median over the rounds of its CPU time per request over that of the baseline in the same round. */
  readonly cpuRatio: number | undefined
  readonly cpuMicrosPerMegabyte: number | undefined
  readonly requestsPerSecond: number | undefined
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly rssBytes: number | undefined
  /** All rounds together. A row with any is marked, and no bar is reached with it. */
  readonly errors: Readonly<Record<string, number>>
  readonly samples: readonly Sample[]
}

/** What was measured of one contender under one load. */
export interface Cell {
  readonly load: LoadName
  readonly contender: string
  /** By round. */
  readonly samples: readonly Sample[]
}

export function summarize(cells: readonly Cell[], baseline: string): Row[] {
  return cells.map((cell) => {
    const base = cells.find(({ load, contender }) => load === cell.load && contender === baseline)
    return {
      ...summarizeCell(cell),
      cpuRatio: base && pairedRatio(cell.samples.map(cpuPerRequest), base.samples.map(cpuPerRequest)),
    }
  })
}

export function hasErrors({ errors }: Pick<Row, 'errors'>): boolean {
  return Object.keys(errors).length > 0
}

/** Microseconds; undefined where it is not known. */
export function cpuPerRequest({ cpuMicros, requests }: Sample): number | undefined {
  return cpuMicros === undefined || requests === 0 ? undefined : cpuMicros / requests
}

function summarizeCell({ load, contender, samples }: Cell): Omit<Row, 'cpuRatio'> {
  const done = samples.filter(({ requests }) => requests > 0)
  return {
    load,
    contender,
    cpuMicrosPerRequest: median(samples.flatMap((sample) => cpuPerRequest(sample) ?? [])),
    cpuMicrosPerMegabyte: median(samples.flatMap((sample) => cpuPerMegabyte(sample) ?? [])),
    requestsPerSecond: median(done.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(done.map(({ p50Micros }) => p50Micros / 1000)),
    p99Ms: median(done.map(({ p99Micros }) => p99Micros / 1000)),
    rssBytes: median(done.map(({ rssBytes }) => rssBytes)),
    errors: sumErrors(samples),
    samples,
  }
}

/** Undefined for small responses, of which the bytes are not what costs. */
function cpuPerMegabyte({ cpuMicros, bytes, requests }: Sample): number | undefined {
  if (cpuMicros === undefined || requests === 0 || bytes / requests < MEGABYTE) return undefined
  return cpuMicros / (bytes / MEGABYTE)
}

export function sumErrors(samples: readonly Sample[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const { errors, cpuMicros, requests } of samples) {
    for (const [kind, count] of Object.entries(errors)) sum[kind] = (sum[kind] ?? 0) + count
    if (cpuMicros === undefined) sum['process ended'] = (sum['process ended'] ?? 0) + 1
    if (requests === 0) sum['no request done'] = (sum['no request done'] ?? 0) + 1
  }
  return sum
}
