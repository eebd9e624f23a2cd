import { type Bench, startContender } from './bench.ts'
import { launchPyserve } from './pyserve.ts'
import { median } from './statistics.ts'

const TIMES = 5

/** Milliseconds from the start of the program to its first answer; the median. */
export async function measureStart(bench: Bench): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < TIMES; index++) {
    const instance = await startContender(bench, 'start', (site) => launchPyserve(site, { engine: 'native' }))
    times.push(instance.readyMs)
    await instance.stop()
  }
  const readyMs = median(times) ?? Number.NaN
  bench.say(`start to ready: ${readyMs.toFixed(0)} ms`)
  return readyMs
}
