import { type Bench, startContender } from './bench.ts'
import { cpuPerRequest, sumErrors } from './figures.ts'
import { waitForPort } from './instance.ts'
import { findFreePorts } from './lab.ts'
import { LOADS } from './load.ts'
import { launchBackend } from './nginx.ts'
import { launchPyserve, type PyserveOptions } from './pyserve.ts'
import { median, pairedRatio } from './statistics.ts'
import { createTurn, type Turn, takeTurns } from './turn.ts'
import { runWrk, wrkScript } from './wrk.ts'

const BACKENDS = 4
const LOAD = LOADS['get-64']

/** What a request costs on a route that manages its traffic, beside a route that does not. */
export interface ManagedCost {
  readonly plainMicros: number | undefined
  readonly managedMicros: number | undefined
  readonly cpuRatio: number | undefined
  readonly errors: Readonly<Record<string, number>>
}

/** Balancing over four backends, health checks, ejection, retries and a rate limit, against one backend and nothing. */
export async function measureManaged(bench: Bench): Promise<ManagedCost> {
  const { lab } = bench
  const ports = await findFreePorts(BACKENDS)
  // One process, as behind the plain route: more of them would answer in smaller groups, which costs whoever reads them.
  const dir = lab.makeDir('backends')
  await waitForPort(lab, lab.start(dir, launchBackend({ dir, ports })), dir, ports[0] ?? 0)
  const plain = await prepare(bench, 'plain route', { engine: 'native' })
  const managed = await prepare(bench, 'managed route', { engine: 'native', managed: ports })
  await takeTurns(bench, [plain, managed])
  for (const { instance } of [plain, managed]) await instance.stop()
  const costs = [plain, managed].map(({ samples }) => samples.map(cpuPerRequest))
  const [plainCosts = [], managedCosts = []] = costs
  return {
    plainMicros: medianOf(plainCosts),
    managedMicros: medianOf(managedCosts),
    cpuRatio: pairedRatio(managedCosts, plainCosts),
    errors: sumErrors([...plain.samples, ...managed.samples]),
  }
}

async function prepare(bench: Bench, name: string, options: PyserveOptions): Promise<Turn> {
  const instance = await startContender(bench, name, (site) => launchPyserve(site, options))
  const url = `http://127.0.0.1:${instance.site.port}/`
  return createTurn(name, instance, (seconds, window) =>
    runWrk(bench.lab, { url, connections: LOAD.connections, seconds, script: wrkScript({}) }, window),
  )
}

function medianOf(costs: readonly (number | undefined)[]): number | undefined {
  return median(costs.filter((cost) => cost !== undefined))
}
