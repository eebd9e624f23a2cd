import { BASELINE } from '../../../scripts/bench/contender.ts'
import { type Cell, summarize } from '../../../scripts/bench/figures.ts'
import type { Results } from '../../../scripts/bench/results.ts'
import type { Sample } from '../../../scripts/bench/window.ts'

const NO_EXTRAS: Results['extras'] = {
  'half-rate': undefined,
  routes: undefined,
  managed: undefined,
  memory: undefined,
  reload: undefined,
  start: undefined,
  workers: undefined,
}

/** 1,000 requests in a second. */
export function sample(cpuMicrosPerRequest: number, change: Partial<Sample> = {}): Sample {
  return {
    requests: 1_000,
    bytes: 120_000,
    seconds: 1,
    p50Micros: 500,
    p99Micros: 2_000,
    errors: {},
    cpuMicros: cpuMicrosPerRequest * 1_000,
    rssBytes: 10 * 1_048_576,
    ...change,
  }
}

export function resultsOf(cells: readonly Cell[], extras: Partial<Results['extras']> = {}): Results {
  return {
    command: 'npm run bench',
    machine: {
      cores: 2,
      cpu: 'Some CPU',
      kernel: 'Linux 6.1',
      node: 'v26.10.0',
      versions: { nginx: '1.22.1' },
      date: '2026-01-02',
    },
    options: { rounds: 1, seconds: 1, warmUpSeconds: 1, idleConnections: 1 },
    leftOut: [],
    rows: summarize(cells, BASELINE),
    extras: { ...NO_EXTRAS, ...extras },
  }
}
