import { type Bench, startContender } from './bench.ts'
import type { Contender } from './contender.ts'
import type { Cell } from './figures.ts'
import { runH2load } from './h2load.ts'
import type { Instance } from './instance.ts'
import { LOAD_GROUPS, LOADS, type Load, type LoadName } from './load.ts'
import { createTurn, type Turn, takeTurns } from './turn.ts'
import { runWebSocketLoad } from './websocket.ts'
import type { LoadResult, Window } from './window.ts'
import { runWrk, wrkScript } from './wrk.ts'

/** A contender, or one of its loads, that was not measured. */
export interface LeftOut {
  readonly name: string
  readonly reason: string
}

export interface RoundsResult {
  readonly cells: readonly Cell[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Measures every contender under every load. In each round all contenders take their turn under the loads of a group,
 * so that what is compared was measured within the same seconds. What cannot run is left out, with the reason.
 */
export async function runRounds(
  bench: Bench,
  contenders: readonly Contender[],
  loads: ReadonlySet<LoadName>,
): Promise<RoundsResult> {
  const leftOut: LeftOut[] = []
  const cells: Cell[] = []
  const plain = await startAll(bench, contenders, false, leftOut)
  const able = contenders.filter(({ name }) => plain.has(name))
  for (const group of LOAD_GROUPS) {
    const wanted = group.filter((load) => loads.has(load))
    const logging = wanted.some(isLogged) ? await startAll(bench, able, true, leftOut) : new Map<string, Instance>()
    const turns: { load: LoadName; turn: Turn }[] = []
    for (const { name, cannot } of able) {
      for (const load of wanted) {
        const instance = (isLogged(load) ? logging : plain).get(name)
        const reason = cannot?.[load]
        if (reason !== undefined) leftOut.push({ name: `${name}, ${load}`, reason })
        else if (instance !== undefined) turns.push({ load, turn: createLoadTurn(bench, load, instance) })
      }
    }
    await takeTurns(
      bench,
      turns.map(({ turn }) => turn),
    )
    cells.push(...turns.map(({ load, turn }) => ({ load, contender: turn.instance.name, samples: turn.samples })))
    await stopAll(logging)
  }
  await stopAll(plain)
  return { cells, leftOut }
}

export function createLoadTurn(bench: Bench, load: LoadName, instance: Instance): Turn {
  return createTurn(`${load}, ${instance.name}`, instance, (seconds, window) =>
    runLoad(bench, LOADS[load], instance, seconds, window),
  )
}

/** One run of a load against an instance. Rejects where the load generator fails. */
function runLoad(bench: Bench, load: Load, { site }: Instance, seconds: number, window: Window): Promise<LoadResult> {
  const { lab } = bench
  const { connections } = load
  if (load.tool === 'ws') {
    const url = `ws://127.0.0.1:${site.port}/ws`
    return runWebSocketLoad(lab, { url, connections, messageBytes: load.messageBytes, seconds }, window)
  }
  if (load.tool === 'h2load') {
    return runH2load(lab, { url: `https://127.0.0.1:${site.tlsPort}${load.path}`, connections, seconds }, window)
  }
  const url = `http://127.0.0.1:${site.port}${load.path}`
  return runWrk(lab, { url, connections, seconds, script: wrkScript(load) }, window)
}

async function startAll(
  bench: Bench,
  contenders: readonly Contender[],
  accessLog: boolean,
  leftOut: LeftOut[],
): Promise<Map<string, Instance>> {
  const started = new Map<string, Instance>()
  for (const { name, launch } of contenders) {
    try {
      started.set(name, await startContender(bench, name, launch, accessLog))
    } catch (error) {
      bench.lab.signal.throwIfAborted()
      leftOut.push({ name, reason: (error as Error).message })
    }
  }
  return started
}

async function stopAll(instances: ReadonlyMap<string, Instance>): Promise<void> {
  await Promise.all([...instances.values()].map((instance) => instance.stop()))
}

function isLogged(load: LoadName): boolean {
  return 'accessLog' in LOADS[load]
}
