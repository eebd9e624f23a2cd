import { setTimeout as delay } from 'node:timers/promises'
import { askPrimary } from '../../src/cli/control-client.ts'
import { describeRunDir } from '../../src/cli/run-dir.ts'
import type { ReloadReport, StatusReport } from '../../src/ipc/control.ts'
import type { Lab } from './lab.ts'
import { readRssBytes } from './process-tree.ts'
import { runDirOf } from './pyserve.ts'
import type { Site } from './site.ts'

const ANSWER_WITHIN_MS = 10_000
const STATE_WITHIN_MS = 60_000
const POLL_MS = 250
/** Readings in a row that differ by less than this share count as settled. */
const STEADY_SHARE = 0.005
const STEADY_READINGS = 6
const SETTLE_WITHIN_MS = 30_000

export interface OpenCounts {
  readonly connections: number
  readonly tunnels: number
}

export function readStatus(site: Site): Promise<StatusReport> {
  return askPrimary<StatusReport>(targetOf(site, ANSWER_WITHIN_MS), { command: 'status' })
}

export function reload(site: Site): Promise<ReloadReport> {
  return askPrimary<ReloadReport>(targetOf(site, 0), { command: 'reload' })
}

/** Waits until the workers have said that they hold as much as `isReached` wants. */
export async function waitForCounts(lab: Lab, site: Site, isReached: (counts: OpenCounts) => boolean): Promise<void> {
  const deadlineMs = performance.now() + STATE_WITHIN_MS
  while (!isReached(await readCounts(site))) {
    if (performance.now() > deadlineMs) throw new Error(`it holds ${JSON.stringify(await readCounts(site))}`)
    await delay(POLL_MS, undefined, { signal: lab.signal })
  }
}

/** Resident memory of the only worker in bytes, once it has stopped to change. */
export async function readSettledRss(lab: Lab, site: Site): Promise<number> {
  const { workers } = await readStatus(site)
  const pid = workers[0]?.pid ?? 0
  const deadlineMs = performance.now() + SETTLE_WITHIN_MS
  let rssBytes = readRssBytes(pid)
  for (let steady = 0; steady < STEADY_READINGS && performance.now() < deadlineMs; ) {
    await delay(POLL_MS, undefined, { signal: lab.signal })
    const next = readRssBytes(pid)
    steady = Math.abs(next - rssBytes) <= rssBytes * STEADY_SHARE ? steady + 1 : 0
    rssBytes = next
  }
  return rssBytes
}

async function readCounts(site: Site): Promise<OpenCounts> {
  const { workers } = await readStatus(site)
  const sum = (pick: (counts: OpenCounts) => number) =>
    workers.reduce((total, { stats }) => total + (stats === undefined ? 0 : pick(stats)), 0)
  return { connections: sum(({ connections }) => connections), tunnels: sum(({ tunnels }) => tunnels) }
}

function targetOf(site: Site, timeoutMs: number) {
  return { runDir: describeRunDir(runDirOf(site.dir)), timeoutMs }
}
