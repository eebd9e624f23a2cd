import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { findClosedPort } from '../helpers/backends.ts'
import { waitFor } from '../helpers/wait.ts'
import { createSite, readyPids, reload, type Site } from './daemon-in-process.ts'

/** Writes `admin` beside what the site has. */
function writeAdmin(site: Site, admin: string, routes: readonly string[] = ['a']): void {
  site.write(routes)
  writeFileSync(site.configFile, `${readFileSync(site.configFile, 'utf8')}admin: ${admin}\n`)
}

async function occupyPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function statusOf(port: number, path: string, host = '127.0.0.1'): Promise<number | string> {
  try {
    const response = await fetch(`http://${host}:${port}${path}`, { headers: { connection: 'close' } })
    await response.text()
    return response.status
  } catch (error) {
    return ((error as Error).cause as NodeJS.ErrnoException).code ?? ''
  }
}

test('it comes, moves and goes with the configuration, and no worker is replaced for it', async (t) => {
  const [first, second] = [await findClosedPort(), await findClosedPort()]
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  const pids = readyPids(primary)
  assert.equal(primary.status().admin, undefined)
  for (const [admin, opened, closed] of [
    [`{ port: ${first} }`, first, undefined],
    [`{ port: ${second} }`, second, first],
    ['{ port: 0 }', undefined, second],
  ] as const) {
    writeAdmin(site, admin)
    const { ok, kind } = await reload(site)
    assert.deepEqual({ ok, kind }, { ok: true, kind: 'swap' })
    assert.equal(primary.status().admin, opened && `http://127.0.0.1:${opened}`)
    if (opened) assert.equal(await statusOf(opened, '/readyz'), 200)
    if (closed) assert.equal(await statusOf(closed, '/readyz'), 'ECONNREFUSED')
  }
  assert.deepEqual(readyPids(primary), pids)
})

test('another address of the same port takes the place of the old one', async (t) => {
  const port = await findClosedPort()
  const site = createSite(t)
  writeAdmin(site, `{ port: ${port} }`)
  await site.start()
  assert.equal(await statusOf(port, '/healthz', '127.0.0.2'), 'ECONNREFUSED')
  writeAdmin(site, `{ host: 0.0.0.0, port: ${port} }`)
  assert.equal((await reload(site)).ok, true)
  assert.equal(await statusOf(port, '/healthz', '127.0.0.2'), 200)
})

test('a busy port refuses the start and says who has it', async (t) => {
  const port = await occupyPort(t)
  const site = createSite(t)
  writeAdmin(site, `{ port: ${port} }`)
  await assert.rejects(site.start(), {
    name: 'StartError',
    message: new RegExp(
      `^admin: cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use by .+ \\(pid ${process.pid}\\)$`,
    ),
  })
})

test('a busy port keeps the old state at a reload, the routes too', async (t) => {
  const busy = await occupyPort(t)
  const port = await findClosedPort()
  const site = createSite(t)
  writeAdmin(site, `{ port: ${port} }`)
  const primary = await site.start()
  writeAdmin(site, `{ port: ${busy} }`, ['a', 'b'])
  const report = await reload(site)
  assert.equal(report.ok, false)
  assert.match(report.error ?? '', new RegExp(`^admin: cannot listen on 127\\.0\\.0\\.1:${busy}: the port is in use`))
  assert.equal(primary.status().version, 1)
  assert.equal(await statusOf(port, '/readyz'), 200)
})

for (const [name, admin] of [
  ['another port', async () => `{ port: ${await findClosedPort()} }`],
  ['another address of the same port', async (port: number) => `{ host: 0.0.0.0, port: ${port} }`],
] as const) {
  test(`what a worker rejects leaves the admin listener where it was (${name})`, async (t) => {
    const port = await findClosedPort()
    const site = createSite(t)
    writeAdmin(site, `{ port: ${port} }`)
    const primary = await site.start()
    writeAdmin(site, await admin(port), ['a', 'reject'])
    assert.equal((await reload(site)).ok, false)
    assert.equal(primary.status().admin, `http://127.0.0.1:${port}`)
    assert.equal(await statusOf(port, '/readyz'), 200)
    assert.equal(await statusOf(port, '/readyz', '127.0.0.2'), 'ECONNREFUSED')
  })
}

test('a daemon that drains is neither healthy nor ready, and says so until its end', async (t) => {
  const port = await findClosedPort()
  const site = createSite(t)
  writeAdmin(site, `{ port: ${port} }`, ['stay'])
  const primary = await site.start()
  primary.stop(false)
  assert.deepEqual([await statusOf(port, '/healthz'), await statusOf(port, '/readyz')], [503, 503])
  primary.stop(true)
  await primary.done
  assert.equal(await statusOf(port, '/healthz'), 'ECONNREFUSED')
})

test('a death is told, and readiness comes back with a new worker', async (t) => {
  const port = await findClosedPort()
  const site = createSite(t)
  writeAdmin(site, `{ port: ${port} }`)
  const primary = await site.start()
  const [victim = 0] = readyPids(primary)
  process.kill(victim, 'SIGKILL')
  await waitFor(() => readyPids(primary).length === 2 && !readyPids(primary).includes(victim), { what: 'a new worker' })
  assert.match(primary.metrics(), /^pyserve_worker_restarts_total 1$/m)
  assert.match(primary.metrics(), /^pyserve_workers\{state="ready"\} 2$/m)
  assert.equal(await statusOf(port, '/readyz'), 200)
})

test('changes of the configuration are counted by how they ended', async (t) => {
  const site = createSite(t)
  site.write(['a'])
  const primary = await site.start()
  await reload(site)
  site.write(['a', 'reject'])
  await reload(site)
  assert.match(primary.metrics(), /^pyserve_config_last_reload_successful 0$/m)
  assert.match(primary.metrics(), /^pyserve_reloads_total\{result="unchanged"\} [1-9]\d*$/m)
  assert.match(primary.metrics(), /^pyserve_reloads_total\{result="failure"\} [1-9]\d*$/m)
  site.write(['a', 'b'])
  await reload(site)
  assert.match(primary.metrics(), /^pyserve_config_last_reload_successful 1$/m)
  assert.match(primary.metrics(), /^pyserve_reloads_total\{result="success"\} 1$/m)
  assert.match(primary.metrics(), /^pyserve_config_version 2$/m)
})
