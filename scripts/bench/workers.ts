import { availableParallelism } from 'node:os'
import { type Bench, startContender } from './bench.ts'
import { cpuPerRequest, sumErrors } from './figures.ts'
import { launchPyserve } from './pyserve.ts'
import { createLoadTurn } from './rounds.ts'
import { median, pairedRatio } from './statistics.ts'
import { type Turn, takeTurns } from './turn.ts'

/** Two for the workers, one for the load generator, one for the backend. */
export const CORES_FOR_TWO_WORKERS = 4

export interface WorkerScaling {
  readonly cores: number
  /** Two workers over one. */
  readonly throughputRatio: number | undefined
  readonly cpuRatio: number | undefined
  readonly requestsPerSecond: readonly [one: number, two: number]
  readonly errors: Readonly<Record<string, number>>
}

export async function measureWorkers(bench: Bench): Promise<WorkerScaling> {
  const turns: Turn[] = []
  for (const workers of [1, 2]) {
    const launch = (site: Parameters<typeof launchPyserve>[0]) => launchPyserve(site, { engine: 'native', workers })
    turns.push(createLoadTurn(bench, 'get-64', await startContender(bench, `${workers} workers`, launch)))
  }
  await takeTurns(bench, turns)
  for (const { instance } of turns) await instance.stop()
  const rates = turns.map(({ samples }) => samples.map(({ requests, seconds }) => requests / seconds))
  const costs = turns.map(({ samples }) => samples.map(cpuPerRequest))
  return {
    cores: availableParallelism(),
    throughputRatio: pairedRatio(rates[1] ?? [], rates[0] ?? []),
    cpuRatio: pairedRatio(costs[1] ?? [], costs[0] ?? []),
    requestsPerSecond: [median(rates[0] ?? []) ?? 0, median(rates[1] ?? []) ?? 0],
    errors: sumErrors(turns.flatMap(({ samples }) => samples)),
  }
}
