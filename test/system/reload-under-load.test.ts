import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EchoBackend, startEcho } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho } from '../helpers/echo-client.ts'
import { sendRequest } from '../helpers/http-client.ts'
import { countRequests, describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

const RELOADS = 50

test(`${RELOADS} reloads of the routes under load fail no request and leave other tunnels alone`, async (t) => {
  const first = await startEcho(t, { name: 'first' })
  const second = await startEcho(t, { name: 'second' })
  const backends = [first, second] as const
  const daemon = await startDaemon(t, { config: describeVersion(0, backends) })
  const target = { port: daemon.port }
  const steady = new WebSocketClient(target, '/steady')
  assert.ok(await steady.opened())
  const pids = await daemon.workerPids()
  const load = startLoad(target, { path: '/load', webSocketPath: '/chat' })
  const tookMs: number[] = []

  for (let version = 1; version <= RELOADS; version++) {
    const before = countRequests(load.result)
    const startedMs = performance.now()
    daemon.writeConfig(describeVersion(version, backends))
    if (version % 2 === 0) assert.equal((await daemon.reload()).ok, true)
    else await waitForVersion(daemon, version)
    tookMs.push(performance.now() - startedMs)
    await assertServed(daemon, version)
    await waitFor(() => countRequests(load.result) > before, { what: 'the load to go on' })
  }

  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  t.diagnostic(`${RELOADS} reloads, from the renamed file to every worker: ${describeTimes(tookMs)}`)
  assert.deepEqual(listFailures(result), [])
  assert.deepEqual(result['keep-alive'].retried, [], 'a kept connection was closed')
  assert.equal(result.websocket.goneAway, 0)
  assert.deepEqual(await daemon.workerPids(), pids, 'no worker was replaced')
  assert.equal(String(await steady.ask('still there')), 'still there')
  steady.socket.terminate()
})

/** Every version moves one route to another backend, changes one and adds and removes one. */
function describeVersion(version: number, backends: readonly [EchoBackend, EchoBackend]): object {
  const [first, second] = backends
  const current = version % 2 === 0 ? first : second
  return proxyConfig([
    routeTo('/load', current, { headers: { request: { set: { 'X-Version': String(version) } } } }),
    routeTo('/chat', first),
    routeTo('/steady', first),
    { path: '/version', respond: { status: 200, body: String(version) } },
    routeTo(`/only/${version}`, current),
  ])
}

async function waitForVersion(daemon: Daemon, version: number): Promise<void> {
  const isServed = async () => (await readVersion(daemon)) === String(version)
  await waitFor(isServed, { what: `version ${version}`, everyMs: 5 })
  await waitFor(async () => (await daemon.status()).state === 'running', { what: 'the end of the reload', everyMs: 5 })
}

/** New connections reach either worker: none may still have the version before. */
async function assertServed(daemon: Daemon, version: number): Promise<void> {
  for (let i = 0; i < 4; i++) assert.equal(await readVersion(daemon), String(version))
  const { backend, headers } = await fetchEcho({ port: daemon.port }, { path: '/load/x' })
  assert.equal(backend, version % 2 === 0 ? 'first' : 'second')
  assert.ok(headers.includes(String(version)))
  const removed = await sendRequest({ port: daemon.port }, { path: `/only/${version - 1}` })
  assert.equal(removed.status, 404)
}

async function readVersion({ port }: Daemon): Promise<string> {
  return (await sendRequest({ port }, { path: '/version' })).body.toString()
}

function describeTimes(timesMs: readonly number[]): string {
  const sorted = timesMs.toSorted((a, b) => a - b).map(Math.round)
  return `median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms`
}
