import { type Bench, startContender } from './bench.ts'
import type { Contender } from './contender.ts'
import { sumErrors } from './figures.ts'
import type { Instance } from './instance.ts'
import { createLoadTurn } from './rounds.ts'
import { median } from './statistics.ts'
import { createTurn, type Turn, takeTurns } from './turn.ts'
import { pausesScript, runWrk } from './wrk.ts'

/** Enough that the pauses of one connection are long against the milliseconds in which wrk counts them. */
const CONNECTIONS = 256

/** How long answers take at half of the rate that a contender can give. */
export interface HalfRate {
  readonly contender: string
  readonly saturationPerSecond: number
  /** What was reached of the half that was wanted. */
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: Readonly<Record<string, number>>
}

export async function measureHalfRate(bench: Bench, contenders: readonly Contender[]): Promise<HalfRate[]> {
  const instances: Instance[] = []
  for (const { name, launch } of contenders) instances.push(await startContender(bench, name, launch))
  const saturated = instances.map((instance) => createLoadTurn(bench, 'get-64', instance))
  await takeTurns(bench, saturated)
  const paced = saturated.map((turn) => createPacedTurn(bench, turn.instance, requestRate(turn) / 2))
  await takeTurns(bench, paced)
  for (const instance of instances) await instance.stop()
  return paced.map(({ instance, samples }, index) => ({
    contender: instance.name,
    saturationPerSecond: requestRate(saturated[index]),
    requestsPerSecond: requestRate({ samples }),
    p50Ms: (median(samples.map(({ p50Micros }) => p50Micros)) ?? 0) / 1000,
    p99Ms: (median(samples.map(({ p99Micros }) => p99Micros)) ?? 0) / 1000,
    errors: sumErrors(samples),
  }))
}

/**
 * Connections that wait a random time before each request: together they make the wanted rate without the bursts of
 * clients that keep time with each other. The pause is corrected by what the run before it has shown.
 */
function createPacedTurn(bench: Bench, instance: Instance, wantedPerSecond: number): Turn {
  const cycleMs = (CONNECTIONS / wantedPerSecond) * 1000
  let pauseMs = cycleMs
  return createTurn(`half-rate, ${instance.name}`, instance, async (seconds, window) => {
    const url = `http://127.0.0.1:${instance.site.port}/`
    const script = pausesScript(pauseMs)
    const result = await runWrk(bench.lab, { url, connections: CONNECTIONS, seconds, script }, window)
    const foundCycleMs = (CONNECTIONS * result.seconds * 1000) / Math.max(1, result.requests)
    pauseMs = Math.max(0, pauseMs + cycleMs - foundCycleMs)
    return result
  })
}

function requestRate(turn: Pick<Turn, 'samples'> | undefined): number {
  return median((turn?.samples ?? []).map(({ requests, seconds }) => requests / seconds)) ?? 0
}
