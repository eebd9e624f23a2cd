import { type Bench, startContender } from './bench.ts'
import { reload } from './daemon-state.ts'
import { launchPyserve, pyserveArgs, pyserveConfig, replaceConfig } from './pyserve.ts'
import { median } from './statistics.ts'

const ROUTES = 1_000
const TIMES = 5

/** What a change among many routes takes; medians. */
export interface ReloadTime {
  readonly routes: number
  /** From the request on the control socket to its answer, after the last worker's ack. */
  readonly tookMs: number
  /** Of the whole command `reload`, with the start of Node; it finds the watch already at work. */
  readonly commandMs: number
}

export async function measureReload(bench: Bench): Promise<ReloadTime> {
  const options = { engine: 'native' } as const
  const instance = await startContender(bench, 'reload', (site) => launchPyserve(site, { ...options, routes: ROUTES }))
  const took: number[] = []
  const command: number[] = []
  const change = (index: number) =>
    replaceConfig(instance.site, pyserveConfig(instance.site, { ...options, routes: ROUTES + 1 + index }))
  for (let index = 0; index < 2 * TIMES; index++) {
    change(index)
    const startedMs = performance.now()
    if (index % 2 === 0) {
      const { ok, kind, error } = await reload(instance.site)
      if (!ok) throw new Error(`the reload failed: ${error}`)
      // The watch may have been quicker, and then there was nothing left to do.
      if (kind !== 'none') took.push(performance.now() - startedMs)
    } else {
      const { code, stderr } = await bench.lab.run(process.execPath, pyserveArgs('reload', instance.site.dir))
      if (code !== 0) throw new Error(`the command reload failed: ${stderr}`)
      command.push(performance.now() - startedMs)
    }
  }
  await instance.stop()
  const result = { routes: ROUTES, tookMs: median(took) ?? Number.NaN, commandMs: median(command) ?? Number.NaN }
  bench.say(
    `reload of ${ROUTES} routes: ${result.tookMs.toFixed(0)} ms, as a command ${result.commandMs.toFixed(0)} ms`,
  )
  return result
}
