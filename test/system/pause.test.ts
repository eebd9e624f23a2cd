import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const CLIENTS = 20

test('requests wait while their backend is replaced, and none fails', async (t) => {
  const before = await serve(t, 'before', 0)
  const { port } = before.address() as AddressInfo
  const other = await serve(t, 'other', 0)
  const routes = [
    routeTo('/api', { port }, { name: 'api' }),
    routeTo('/other', other.address() as AddressInfo, { name: 'other' }),
  ]
  const daemon = await startDaemon(t, { config: proxyConfig(routes) })
  assert.equal(await fetchFrom(daemon, '/api'), 'before')

  assert.equal((await daemon.cli('pause', 'api', '--max', '1m')).code, 0)
  before.close()
  before.closeAllConnections()
  const waiting = Array.from({ length: CLIENTS }, () => fetchFrom(daemon, '/api'))
  await waitForHeld(daemon, CLIENTS)
  assert.equal(await fetchFrom(daemon, '/other'), 'other')
  const { paused } = await daemon.status()
  assert.deepEqual(
    paused.map(({ route }) => route),
    ['api'],
  )
  assert.match((await daemon.cli('status')).stdout, /paused: api for \d+ (s|ms) more; 20 requests held/)

  await t.test('also by workers that are started meanwhile', async () => {
    // The old workers still hold theirs, so that the roll does not end before they are let go.
    const rolling = daemon.cli('restart')
    await waitFor(async () => (await daemon.status()).generation === 2 && (await daemon.workerPids()).length === 2, {
      what: 'new workers',
    })
    waiting.push(fetchFrom(daemon, '/api'))
    await waitForHeld(daemon, CLIENTS + 1)
    await serve(t, 'after', port)
    assert.equal((await daemon.cli('resume', 'api')).code, 0)
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['after']))
    assert.equal((await rolling).code, 0)
  })
  assert.deepEqual((await daemon.status()).paused, [])
})

test('a pause ends by itself at its time', async (t) => {
  const backend = await serve(t, 'up', 0)
  const route = routeTo('/api', backend.address() as AddressInfo, { name: 'api' })
  const daemon = await startDaemon(t, { config: proxyConfig([route]) })
  assert.equal((await daemon.cli('pause', 'api', '--max', '200ms')).code, 0)
  assert.equal(await fetchFrom(daemon, '/api'), 'up')
})

test('what cannot be paused is told', async (t) => {
  const daemon = await startDaemon(t, { config: proxyConfig([{ path: '/api', name: 'api', respond: { body: 'x' } }]) })
  const unknown = await daemon.cli('pause', 'apo')
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /there is no route "apo"; did you mean "api"\?/)
  const idle = await daemon.cli('resume', 'api')
  assert.equal(idle.code, 1)
  assert.match(idle.stderr, /is not paused/)
  assert.equal((await daemon.cli('pause', 'api', '--max', '2h')).code, 2)
  assert.equal((await daemon.cli('pause', 'api', '--max', 'soon')).code, 2)
})

async function serve(t: TestContext, body: string, port: number): Promise<Server> {
  const server = createServer((_, response) => response.end(body)).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

async function fetchFrom({ port }: Daemon, path: string): Promise<string> {
  const { status, headers, body } = await sendRequest({ port }, { path })
  assert.equal(status, 200, `answered ${readField(headers, 'x-pyserve-reason')}`)
  return body.toString()
}

async function waitForHeld(daemon: Daemon, count: number): Promise<void> {
  const held = async () => {
    const { workers } = await daemon.status()
    return workers.reduce((sum, { stats }) => sum + (stats?.held ?? 0), 0)
  }
  await waitFor(async () => (await held()) === count, { what: `${count} requests to be held` })
}
