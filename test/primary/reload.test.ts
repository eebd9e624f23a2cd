import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { ReloadReport } from '../../src/ipc/control.ts'
import { waitFor } from '../helpers/wait.ts'
import { ask, createSite, readyPids, reload, visit } from './daemon-in-process.ts'

test('a change of routes is taken by every worker without a restart', async (t) => {
  const site = createSite(t)
  site.write(['a', 'b'])
  const primary = await site.start()
  const pids = readyPids(primary)
  site.write(['a', 'c'])
  const report = await reload(site)
  assert.equal(report.ok, true)
  assert.equal(report.kind, 'swap')
  assert.deepEqual(report.routes, { added: ['c'], changed: [], removed: ['b'] })
  assert.equal(report.version, 2)
  assert.deepEqual(
    report.workers.map(({ ok }) => ok),
    [true, true],
  )
  assert.deepEqual(readyPids(primary), pids)
  assert.equal((await visit(primary)).version, 2)
})

test('a saved file is taken by itself, and the command that comes after it still tells what changed', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  site.write(['a', 'b'])
  await waitFor(() => primary.status().version === 2, { what: 'the watch' })
  const report = await reload(site)
  assert.equal(report.trigger, 'watch')
  assert.deepEqual(report.routes.added, ['b'])
  assert.equal((await reload(site)).kind, 'none')
  assert.deepEqual(primary.status().lastReload?.routes.added, ['b'])
})

test('what is saved while the workers start is taken once they are ready', async (t) => {
  const site = createSite(t)
  site.write(['slow'])
  const starting = site.start()
  await waitFor(() => Object.keys(cluster.workers ?? {}).length > 0, { what: 'the first worker' })
  site.write(['slow', 'b'])
  const primary = await starting
  await waitFor(() => primary.status().lastReload, { what: 'the change' })
  assert.deepEqual(primary.status().lastReload?.routes.added, ['b'])
  assert.equal(primary.status().version, 2)
})

for (const { name, route, problem } of [
  { name: 'a worker that rejects', route: 'reject', problem: /worker 1: told to reject/ },
  { name: 'a worker that dies over it', route: 'die', problem: /worker \d: died meanwhile/ },
  { name: 'a worker that does not answer', route: 'silent', problem: /worker \d: did not answer within \d+ ms/ },
]) {
  test(`${name} keeps all of them on the old configuration`, async (t) => {
    const site = createSite(t)
    site.write(['a'])
    const primary = await site.start()
    site.write(['a', route])
    const report = await reload(site)
    assert.equal(report.ok, false)
    assert.match(report.error ?? '', problem)
    assert.equal(primary.status().version, 1)
    assert.equal(primary.status().lastReload?.ok, false)
    await waitFor(() => readyPids(primary).length === 2, { what: 'both workers' })
    assert.equal((await visit(primary)).version, 1)
  })
}

test('a broken file keeps the old configuration, and its repair ends the failure', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const good = readFileSync(site.configFile, 'utf8')
  writeFileSync(site.configFile, 'server: { por: 1 }\n')
  const report = await reload(site)
  assert.equal(report.ok, false)
  assert.equal(report.problems[0]?.line, 1)
  assert.equal(report.problems[0]?.hint?.includes('port'), true)
  assert.equal(primary.status().version, 1)
  writeFileSync(site.configFile, good)
  await waitFor(() => primary.status().lastReload?.ok === true, { what: 'the repair' })
  rmSync(site.configFile)
  assert.equal((await reload(site)).ok, false)
  assert.equal((await visit(primary)).version, 1)
})

test('workers are added and taken away without touching the others', async (t) => {
  const site = createSite(t)
  site.write(['a'], 'workers: 1')
  const primary = await site.start()
  const [first] = readyPids(primary)
  site.write(['a'], 'workers: 3')
  assert.equal((await reload(site)).kind, 'scale')
  assert.equal(readyPids(primary).length, 3)
  site.write(['a', 'b'], 'workers: 1')
  assert.equal((await reload(site)).ok, true)
  await waitFor(() => primary.status().workers.length === 1, { what: 'two workers to leave' })
  assert.deepEqual(readyPids(primary), [first])
  assert.equal((await visit(primary)).version, 3)
})

test('a further worker that does not start leaves number and configuration as they were', async (t) => {
  const site = createSite(t)
  site.write(['a'], 'workers: 1')
  const primary = await site.start()
  site.write(['a', 'fail in 1'], 'workers: 2')
  const report = await reload(site)
  assert.equal(report.ok, false)
  assert.match(report.error ?? '', /told to fail/)
  assert.equal(primary.status().version, 1)
  await waitFor(() => primary.status().workers.length === 1, { what: 'the failed worker to be gone' })
})

test('a restart replaces every worker, new before old', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const before = readyPids(primary)
  const report = await ask<ReloadReport>(site, { command: 'restart' })
  assert.equal(report.kind, 'roll')
  const after = readyPids(primary)
  assert.equal(after.length, 2)
  assert.equal(
    after.some((pid) => before.includes(pid)),
    false,
  )
  assert.equal(primary.status().generation, 2)
})

for (const { name, route } of [
  { name: 'fails', route: 'fail' },
  { name: 'crashes', route: 'crash' },
  { name: 'is late', route: 'late' },
  { name: 'fails in the second slot only', route: 'fail in 1' },
]) {
  test(`a roll whose new worker ${name} leaves the old state serving everywhere`, async (t) => {
    const site = createSite(t)
    site.write(['a'])
    const primary = await site.start()
    site.write(['a', route], 'backlog: 99\n  workers: 2')
    const report = await reload(site)
    assert.equal(report.kind, 'roll')
    assert.equal(report.ok, false)
    assert.equal(primary.status().version, 1)
    await waitFor(() => primary.status().workers.length === 2, { what: 'the new workers to be gone' })
    assert.equal(readyPids(primary).length, 2)
    for (let i = 0; i < 4; i++) assert.equal((await visit(primary)).version, 1)
  })
}

test('a busy port keeps the old address', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  writeFileSync(site.configFile, readFileSync(site.configFile, 'utf8').replace('port: 0', `port: ${port}`))
  const report = await reload(site)
  assert.equal(report.ok, false)
  assert.match(report.error ?? '', new RegExp(`127.0.0.1:${port}: the port is in use`))
  assert.equal((await visit(primary)).version, 1)
})

test('a new address is served by new workers, and the old one is closed', async (t) => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as { port: number }
  await new Promise((resolve) => free.close(resolve))
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const before = primary.status().listen[0]?.port
  writeFileSync(site.configFile, readFileSync(site.configFile, 'utf8').replace('port: 0', `port: ${port}`))
  assert.equal((await reload(site)).ok, true)
  assert.equal(primary.status().listen[0]?.port, port)
  assert.equal((await visit(primary)).version, 2)
  assert.notEqual(before, port)
})

test('reloads run one at a time, and those that wait share one run', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  site.write(['a', 'b'])
  const first = reload(site)
  site.write(['a', 'c'])
  const reports = await Promise.all([first, ...Array.from({ length: 20 }, () => reload(site))])
  assert.equal(
    reports.every(({ ok }) => ok),
    true,
  )
  assert.deepEqual(
    (await ask<{ name: string }[]>(site, { command: 'routes' })).map(({ name }) => name),
    ['a', 'c'],
  )
  assert.ok(primary.status().version <= 3, `version ${primary.status().version}`)
})
