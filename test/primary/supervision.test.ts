import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { StartError } from '../../src/primary/start-error.ts'
import { waitFor } from '../helpers/wait.ts'
import { ask, createSite, readyPids, reload, sendLine, visit } from './daemon-in-process.ts'

test('a killed worker is replaced at once, in its slot', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const [victim = 0, other] = readyPids(primary)
  process.kill(victim, 'SIGKILL')
  await waitFor(() => readyPids(primary).length === 2 && !readyPids(primary).includes(victim), { what: 'a new worker' })
  assert.equal(readyPids(primary).includes(other ?? 0), true)
  assert.equal(primary.status().workers[0]?.crashes, 1)
})

test('connections made while the only worker is dead wait for the next one', async (t) => {
  const site = createSite(t)
  site.write(['a'], 'workers: 1')
  const primary = await site.start()
  const [victim = 0] = readyPids(primary)
  process.kill(victim, 'SIGKILL')
  await waitFor(() => !readyPids(primary).includes(victim), { what: 'the death' })
  const visits = await Promise.all(Array.from({ length: 20 }, () => visit(primary)))
  assert.equal(
    visits.every(({ version }) => version === 1),
    true,
  )
})

test('a worker that gives no sign of life is killed and replaced', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const before = readyPids(primary)
  site.write(['a', 'mute'])
  assert.equal((await reload(site)).ok, true)
  await waitFor(() => readyPids(primary).length === 2 && !readyPids(primary).some((pid) => before.includes(pid)), {
    what: 'both mute workers to be replaced',
  })
})

test('a crash loop is held back and reported, and the daemon stays', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  site.write(['a', 'crash'])
  assert.equal((await reload(site)).ok, true)
  process.kill(readyPids(primary)[0] ?? 0, 'SIGKILL')
  await waitFor(() => primary.status().crashLoop, { what: 'the crash loop' })
  assert.equal(readyPids(primary).length, 1)
  site.write(['a'])
  await reload(site)
  await waitFor(() => readyPids(primary).length === 2, { what: 'the end of the loop' })
})

test('a bad configuration does not start, and says where', async (t) => {
  const site = createSite(t)
  writeFileSync(site.configFile, 'server: { por: 1 }\n')
  await assert.rejects(site.start(), (error) => error instanceof StartError && error.problems[0]?.line === 1)
})

test('a worker that cannot start ends the start with its reason, and leaves the port free', async (t) => {
  const site = createSite(t)
  site.write(['fail in 1'])
  await assert.rejects(site.start(), /worker did not start: told to fail/)
  site.write(['a'])
  const primary = await site.start()
  assert.equal(readyPids(primary).length, 2)
})

test('a stop drains every worker and ends with 0', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const port = primary.status().listen[0]?.port ?? 0
  await ask(site, { command: 'stop', force: false })
  assert.equal(await primary.done, 0)
  const socket = connect(port, '127.0.0.1')
  const [error] = await once(socket, 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})

test('a stop by force does not wait for what is open, and ends with 4', async (t) => {
  const site = createSite(t)
  site.write(['stay'])
  const primary = await site.start()
  primary.stop(false)
  await waitFor(() => primary.status().workers.every(({ state }) => state === 'draining'), { what: 'the drain' })
  primary.stop(true)
  assert.equal(await primary.done, 4)
})

test('the control socket belongs to this user alone and refuses what it does not know', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  await site.start()
  assert.equal(statSync(join(site.dir, 'control.sock')).mode & 0o777, 0o600)
  for (const line of ['{', 'null', '{"command":"dance"}', '"x"', `"${'x'.repeat(70_000)}"`]) {
    const answer = JSON.parse(await sendLine(site, line)) as { ok: boolean; error: string }
    assert.equal(answer.ok, false, line.slice(0, 40))
    assert.notEqual(answer.error, '')
  }
  assert.equal((await ask<{ state: string }>(site, { command: 'status' })).state, 'running')
})
