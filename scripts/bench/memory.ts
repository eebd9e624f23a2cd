import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Bench, startContender } from './bench.ts'
import { readSettledRss, waitForCounts } from './daemon-state.ts'
import type { Instance } from './instance.ts'
import type { Lab } from './lab.ts'
import { launchProgram } from './node-proxies.ts'
import type { HoldOptions, HoldResult } from './programs/hold.ts'
import { launchPyserve } from './pyserve.ts'
import { createLoadTurn } from './rounds.ts'
import { UNMEASURED } from './window.ts'

/** A tunnel has two ends in the worker; the rest of its files are few. */
const FILES_PER_TUNNEL = 2
const SPARE_FILES = 500

/** What one open connection without traffic costs the worker. */
export interface IdleMemory {
  readonly kind: HoldOptions['kind']
  readonly connections: number
  readonly bytesEach: number
  readonly rssBeforeBytes: number
  readonly rssAfterBytes: number
}

export async function measureMemory(bench: Bench): Promise<IdleMemory[]> {
  const most = Math.floor((readFileLimit() - SPARE_FILES) / FILES_PER_TUNNEL)
  const count = Math.min(bench.idleConnections, most)
  if (count < bench.idleConnections) bench.say(`memory: ${count} connections, as ulimit -n allows no more`)
  return [await measureKind(bench, 'keep-alive', count), await measureKind(bench, 'websocket', count)]
}

async function measureKind(bench: Bench, kind: HoldOptions['kind'], count: number): Promise<IdleMemory> {
  const { lab, say, warmUpSeconds } = bench
  const instance = await startContender(bench, `idle ${kind}`, (site) => launchPyserve(site, { engine: 'native' }))
  // Code that is compiled and pools that are filled by the first requests are not what a connection costs.
  await createLoadTurn(bench, 'get-64', instance).run(warmUpSeconds, UNMEASURED)
  await waitForCounts(lab, instance.site, ({ connections }) => connections === 0)
  const rssBeforeBytes = await readSettledRss(lab, instance.site)
  const rssAfterBytes = await whileHolding(bench, instance, kind, count)
  await instance.stop()
  const bytesEach = (rssAfterBytes - rssBeforeBytes) / count
  say(`memory, ${kind}: ${(bytesEach / 1024).toFixed(1)} KB for each of ${count}`)
  return { kind, connections: count, bytesEach, rssBeforeBytes, rssAfterBytes }
}

async function whileHolding(
  { lab }: Bench,
  { site }: Instance,
  kind: HoldOptions['kind'],
  count: number,
): Promise<number> {
  const options: HoldOptions = { kind, port: site.port, count }
  const holder = lab.converse(launchProgram('hold', options))
  try {
    const { failed } = await readHeld(lab, holder.stdout)
    if (failed > 0) throw new Error(`${failed} of ${count} idle connections (${kind}) could not be opened`)
    await waitForCounts(
      lab,
      site,
      ({ connections, tunnels }) => (kind === 'websocket' ? tunnels : connections) >= count,
    )
    return await readSettledRss(lab, site)
  } finally {
    await lab.stop(holder)
  }
}

async function readHeld(lab: Lab, stdout: NodeJS.ReadableStream | null): Promise<HoldResult> {
  if (stdout === null) throw new Error('the idle connections have no output')
  for await (const line of createInterface({ input: stdout, signal: lab.signal })) return JSON.parse(line) as HoldResult
  lab.signal.throwIfAborted()
  throw new Error('the idle connections ended without a word')
}

function readFileLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}
