import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BackendReport } from '../../src/ipc/control.ts'
import { findClosedPort, startEcho } from '../helpers/backends.ts'
import { assertDone, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { scrape } from '../helpers/scrape.ts'
import { waitFor } from '../helpers/wait.ts'

const CHECK = { path: '/healthz', interval: '200ms', timeout: '200ms', healthy: 2, unhealthy: 3 }
const NO_RETRIES = { retries: { attempts: 1 } }

/** A backend that says it is not well as long as the test wants. */
async function startPatient(t: TestContext, name: string) {
  const patient = { status: 200, checks: 0 }
  const backend = await startEcho(t, {
    name,
    answer(request, response) {
      if (request.url !== '/healthz') return false
      patient.checks++
      response.writeHead(patient.status).end()
      return true
    },
  })
  return {
    port: backend.port,
    patient,
    /** Those that were no checks. */
    countRequests: () => backend.requests - patient.checks,
  }
}

function at({ port }: { readonly port: number }, more: object = {}): object {
  return { host: '127.0.0.1', port, ...more }
}

/** Which backend answers, or with which status and reason the proxy does. */
async function ask(port: number, path = '/'): Promise<string> {
  const { status, headers, body } = await sendRequest({ port }, { path })
  if (status === 200) return (JSON.parse(body.toString()) as { backend: string }).backend
  return `${status} ${readField(headers, 'x-pyserve-reason') ?? ''}`.trim()
}

async function askOften(port: number, requests: number): Promise<string[]> {
  const answers = new Set<string>()
  for (let n = 0; n < requests; n++) answers.add(await ask(port))
  return [...answers].sort()
}

async function reportOf(daemon: Daemon, { port }: { readonly port: number }): Promise<BackendReport> {
  const report = (await daemon.status()).backends.find(({ name }) => name === `127.0.0.1:${port}`)
  assert.ok(report)
  return report
}

function waitForState(daemon: Daemon, backend: { readonly port: number }, state: BackendReport['state']) {
  return waitFor(async () => (await reportOf(daemon, backend)).state === state, { what: `a backend to be ${state}` })
}

test('a backend that says it is not well gets nothing until it says it is, over a rolling restart', async (t) => {
  const [a, b] = [await startPatient(t, 'a'), await startPatient(t, 'b')]
  const route = { path: '/', backends: [at(a), at(b)], health_check: CHECK, ...NO_RETRIES }
  const admin = await findClosedPort()
  const daemon = await startDaemon(t, { config: proxyConfig([route], {}, { admin: { port: admin } }) })
  assert.deepEqual(await askOften(daemon.port, 12), ['a', 'b'])
  const told = async ({ port }: { readonly port: number }) => {
    const { sum } = await scrape(admin)
    const backend = `127.0.0.1:${port}`
    const state = (name: string) => sum('pyserve_backend_state', { backend, state: name })
    return { up: sum('pyserve_backend_up', { backend }), isUp: state('up'), isDown: state('down') }
  }
  assert.deepEqual(await told(a), { up: 1, isUp: 1, isDown: 0 })

  a.patient.status = 503
  const { checks } = a.patient
  await waitForState(daemon, a, 'down')
  assert.ok(a.patient.checks - checks >= 3)
  assert.equal((await reportOf(daemon, a)).why, 'status 503')
  assert.deepEqual(await told(a), { up: 0, isUp: 0, isDown: 1 })
  assert.deepEqual(await told(b), { up: 1, isUp: 1, isDown: 0 })
  assert.deepEqual(await askOften(daemon.port, 12), ['b'])

  await t.test('which new workers know before they serve', async () => {
    const requests = a.countRequests()
    const load = startLoad({ port: daemon.port }, { path: '/', clients: { 'new connection': 4, websocket: 0 } })
    assertDone(await daemon.cli('restart'))
    assert.deepEqual(listFailures(await load.stop()), [])
    assert.equal(a.countRequests(), requests)
    assert.equal((await reportOf(daemon, a)).state, 'down')
  })

  a.patient.status = 200
  await waitForState(daemon, a, 'up')
  assert.deepEqual(await told(a), { up: 1, isUp: 1, isDown: 0 })
  await waitFor(async () => (await ask(daemon.port)) === 'a', { what: 'an answer of the backend that came back' })
  const lines = daemon.readLog().match(/"msg":"backend is (?:down|up)"/g)
  assert.deepEqual(lines, ['"msg":"backend is down"', '"msg":"backend is up"'])
})

test('a worker that is born in the slow start of a backend goes on with it', async (t) => {
  const [a, b] = [await startPatient(t, 'a'), await startPatient(t, 'b')]
  const route = { path: '/', backends: [at(a), at(b)], health_check: CHECK, slow_start: '5m', ...NO_RETRIES }
  const daemon = await startDaemon(t, { config: proxyConfig([route], { workers: 1 }) })
  a.patient.status = 503
  await waitForState(daemon, a, 'down')
  a.patient.status = 200
  await waitForState(daemon, a, 'up')
  assertDone(await daemon.cli('restart'))
  const before = a.countRequests()
  for (let n = 0; n < 60; n++) await ask(daemon.port)
  // It begins with a tenth of its weight.
  const share = (a.countRequests() - before) / 60
  assert.ok(share > 0 && share < 0.25, String(share))
})

test('a reload keeps what is known where nothing about it changes', async (t) => {
  const [a, b] = [await startPatient(t, 'a'), await startPatient(t, 'b')]
  const config = (weight: number) =>
    proxyConfig([{ path: '/', backends: [at(a), at(b, { weight })], health_check: CHECK, ...NO_RETRIES }])
  const daemon = await startDaemon(t, { config: config(1) })
  a.patient.status = 503
  await waitForState(daemon, a, 'down')
  const { since } = await reportOf(daemon, a)
  daemon.writeConfig(config(2))
  assert.equal((await daemon.reload()).ok, true)
  assert.deepEqual([(await reportOf(daemon, a)).state, (await reportOf(daemon, a)).since], ['down', since])
  assert.deepEqual(await askOften(daemon.port, 12), ['b'])
})

test('a backend is drained and enabled under load, over a reload and a rolling restart, and no request fails', async (t) => {
  const [a, b] = [await startEcho(t, { name: 'a' }), await startEcho(t, { name: 'b' })]
  const config = (path: string) =>
    proxyConfig([
      { path: '/', backends: [at(a), at(b)] },
      { path, respond: {} },
    ])
  const daemon = await startDaemon(t, { config: config('/x') })
  const load = startLoad({ port: daemon.port }, { path: '/', clients: { websocket: 2 } })
  const name = `127.0.0.1:${a.port}`
  await waitFor(() => a.webSockets.size > 0 && a.requests > 20, { what: 'load' })

  assertDone(await daemon.cli('backends', 'drain', name))
  const { requests: atDrain } = a
  const tunnels = a.webSockets.size
  daemon.writeConfig(config('/y'))
  await daemon.reload()
  await waitFor(() => b.requests > 100, { what: 'the other backend to be busy' })
  // Those that were sent before the drain may have been on their way.
  assert.ok(a.requests - atDrain <= 10, `${a.requests - atDrain} more requests`)
  assert.equal(a.webSockets.size, tunnels)
  assertDone(await daemon.cli('restart'))
  const { requests } = a
  await waitFor(() => b.requests > 300, { what: 'the other backend to be busier' })
  assert.equal(a.requests, requests)
  assert.equal((await reportOf(daemon, a)).state, 'drained')
  assert.match((await daemon.cli('backends')).stdout, new RegExp(`${name} +drained`))

  assertDone(await daemon.cli('backends', 'enable', name))
  await waitFor(() => a.requests > requests + 20, { what: 'the enabled backend to be busy' })
  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  assert.deepEqual(listFailures(result), [])
})

test('drains are commands, and end with the daemon', async (t) => {
  const a = await startEcho(t, { name: 'a' })
  const daemon = await startDaemon(t, { config: proxyConfig([{ path: '/', name: 'web', ...at(a) }]) })
  const name = `127.0.0.1:${a.port}`
  const drained = await daemon.cli('backends', 'drain', `web/${name}`, '--json')
  assert.deepEqual([drained.code, (JSON.parse(drained.stdout) as BackendReport).state], [0, 'drained'])
  assert.equal(await ask(daemon.port), '503 no_backend')
  const [listed] = JSON.parse((await daemon.cli('backends', 'list', '--json')).stdout) as BackendReport[]
  assert.deepEqual([listed?.name, listed?.state, listed?.upstreams], [name, 'drained', ['web']])
  assert.match((await daemon.cli('backends')).stdout, new RegExp(`${name} +drained`))

  const unknown = await daemon.cli('backends', 'drain', `127.0.0.2:${a.port}`)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, new RegExp(`there is no backend .*; did you mean "${name}"\\?`))
  assert.equal((await daemon.cli('backends', 'drain')).code, 2)
  const help = (await daemon.cli('backends', '--help')).stdout
  for (const part of ['drain', 'enable', 'Examples:']) assert.ok(help.includes(part))

  assertDone(await daemon.cli('stop'))
  await daemon.ended()
  assert.equal((await daemon.cli('backends')).code, 3)
  assertDone(await daemon.cli('start'))
  const { listen } = JSON.parse((await daemon.cli('status', '--json')).stdout) as { listen: { port: number }[] }
  assert.equal(await ask(listen[0]?.port ?? 0), 'a')
})
