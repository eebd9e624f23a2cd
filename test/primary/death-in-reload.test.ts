import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Primary } from '../../src/primary/primary.ts'
import { waitFor } from '../helpers/wait.ts'
import { createSite, readyPids, reload } from './daemon-in-process.ts'

test('a worker that dies between its answer and the commit comes back on the new configuration', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  site.write(['a', 'leave 1'])
  const report = await reload(site)
  assert.equal(report.ok, true)
  await waitFor(() => readyPids(primary).length === 2, { what: 'the replacement' })
  await waitFor(() => servedVersions(primary).length === 2, { what: 'a beat of each' })
  assert.deepEqual(servedVersions(primary), [2, 2])
})

test('a worker that dies by chance while the only one prepares does not cost the change', async (t) => {
  const site = createSite(t)
  site.write(['a'], 'workers: 1')
  const primary = await site.start()
  const marker = join(site.dir, 'marker')
  writeFileSync(marker, '')
  const [victim] = readyPids(primary)
  site.write(['a', `die while ${marker}`], 'workers: 1')
  const reloading = reload(site)
  await waitFor(() => !readyPids(primary).includes(victim ?? 0), { what: 'the death' })
  rmSync(marker)
  assert.equal((await reloading).ok, true)
  assert.equal(primary.status().version, 2)
  assert.equal(readyPids(primary).length, 1)
})

test('with no worker alive a better configuration is tried on new ones, and a worse one is not taken', async (t) => {
  const site = createSite(t)
  const marker = join(site.dir, 'marker')
  site.write(['a', `fail while ${marker}`])
  const primary = await site.start()
  writeFileSync(marker, '')
  for (const pid of readyPids(primary)) process.kill(pid, 'SIGKILL')
  await waitFor(() => primary.status().crashLoop, { what: 'the crash loop' })
  site.write(['a', 'fail'])
  const worse = await reload(site)
  assert.equal(worse.ok, false)
  assert.equal(primary.status().version, 1)
  site.write(['a', 'b'])
  assert.equal((await reload(site)).ok, true)
  assert.equal(readyPids(primary).length, 2)
  assert.ok(existsSync(marker))
})

test('a failed roll that cannot go back keeps what serves, says so, and goes back with the next death', async (t) => {
  const site = createSite(t)
  const marker = join(site.dir, 'marker')
  site.write(['a', `fail while ${marker}`])
  const primary = await site.start()
  writeFileSync(marker, '')
  site.write(['a', 'fail in 1'], 'backlog: 99\n  workers: 2')
  const report = await reload(site)
  assert.equal(report.ok, false)
  assert.match(
    report.error ?? '',
    /^worker 1 did not start: told to fail; worker 0 could not go back .*: told to fail$/,
  )
  assert.equal(readyPids(primary).length, 2)
  rmSync(marker)
  const stuck = primary.status().workers.find(({ generation }) => generation === 2)
  process.kill(stuck?.pid ?? 0, 'SIGKILL')
  await waitFor(
    () => primary.status().workers.every(({ generation, state }) => generation === 1 && state === 'ready'),
    {
      what: 'the old state everywhere',
    },
  )
})

function servedVersions(primary: Primary): number[] {
  return primary.status().workers.flatMap(({ stats }) => stats?.version ?? [])
}
