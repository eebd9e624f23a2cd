import { type Bench, startContender } from './bench.ts'
import { cpuPerRequest, sumErrors } from './figures.ts'
import { launchPyserve } from './pyserve.ts'
import { median, pairedRatio } from './statistics.ts'
import { createTurn, type Turn, takeTurns } from './turn.ts'
import { routesScript, runWrk } from './wrk.ts'

const COUNTS = [10, 1_000, 10_000]
const CONNECTIONS = 64

/** What a request costs among so many routes, all of which are asked for in turn. */
export interface RouteCost {
  readonly routes: number
  readonly cpuMicrosPerRequest: number | undefined
  /** Over the least number of routes. */
  readonly cpuRatio: number | undefined
  readonly errors: Readonly<Record<string, number>>
}

export async function measureRoutes(bench: Bench): Promise<RouteCost[]> {
  const turns: Turn[] = []
  for (const routes of COUNTS) {
    const launch = (site: Parameters<typeof launchPyserve>[0]) => launchPyserve(site, { engine: 'native', routes })
    const instance = await startContender(bench, `${routes} routes`, launch)
    const url = `http://127.0.0.1:${instance.site.port}/`
    const script = routesScript(routes)
    turns.push(
      createTurn(instance.name, instance, (seconds, window) =>
        runWrk(bench.lab, { url, connections: CONNECTIONS, seconds, script }, window),
      ),
    )
  }
  await takeTurns(bench, turns)
  for (const { instance } of turns) await instance.stop()
  const costs = turns.map(({ samples }) => samples.map(cpuPerRequest))
  return turns.map(({ samples }, index) => ({
    routes: COUNTS[index] ?? 0,
    cpuMicrosPerRequest: median(costs[index]?.filter((cost) => cost !== undefined) ?? []),
    cpuRatio: pairedRatio(costs[index] ?? [], costs[0] ?? []),
    errors: sumErrors(samples),
  }))
}
