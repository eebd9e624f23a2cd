import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAccessFields } from '../../src/log/access-line.ts'
import type { AccessRecord } from '../../src/log/access-log.ts'
import { METRICS } from '../../src/metrics/catalogue.ts'
import { findClosedPort, startEcho, startFaulty } from '../helpers/backends.ts'
import { assertDone, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { ClientConnection, ClientError, type SentRequest, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { type Scrape, scrape } from '../helpers/scrape.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

const REQUESTS: readonly SentRequest[] = [
  { path: '/echo/a' },
  { path: '/echo/b', method: 'HEAD' },
  { path: '/echo/c', method: 'POST', body: 'x'.repeat(1_000) },
  { path: '/echo/d', method: 'POST', headers: ['Transfer-Encoding', 'chunked'] },
  { path: '/nowhere' },
  { path: '/home' },
  { path: '/own' },
  { path: '/resets' },
  { path: '/half' },
  { path: '/closed' },
  { path: '/bad path' },
]

const ABORTED = [
  'GET /silent HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /half HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
]

test('every line of the access log is counted once, whatever became of the request and of its worker', async (t) => {
  const admin = await findClosedPort()
  const echo = await startEcho(t)
  const routes = [
    routeTo('/echo', echo),
    routeTo('/silent', await startFaulty(t, 'silent'), { timeouts: { response: '1s' } }),
    routeTo('/resets', await startFaulty(t, 'resets')),
    routeTo('/half', await startFaulty(t, 'ends in the body')),
    routeTo('/closed', { port: await findClosedPort() }),
    { path: '/own', name: 'own "\\', respond: { body: 'own' } },
  ]
  const server = { timeouts: { drain: '3s', websocket_drain: '3s' }, redirect_instructions: [{ '/home': '/echo' }] }
  const configOf = (more: readonly object[], workers: number) =>
    proxyConfig([...routes, ...more], { ...server, workers }, { admin: { port: admin } })
  const daemon = await startDaemon(t, { config: configOf([], 2) })
  const tunnels = await openTunnels(daemon, 3)

  let isOver = false
  t.after(() => {
    isOver = true
  })
  const clients = [
    ...Array.from({ length: 3 }, (_, i) => runKept(daemon.port, i, () => isOver)),
    runNew(daemon.port, () => isOver),
    runAborting(daemon.port, () => isOver),
  ]
  await waitForLines(daemon, 300)
  const before = await scrape(admin)
  daemon.writeConfig(configOf([{ path: '/more', respond: {} }], 3))
  assert.equal((await daemon.reload()).ok, true)
  assertDone(await daemon.cli('restart'))
  daemon.writeConfig(configOf([], 1))
  assert.equal((await daemon.reload()).ok, true)
  const middle = await scrape(admin)
  assertNothingFell(before, middle)
  isOver = true
  await Promise.all(clients)
  for (const tunnel of await openTunnels(daemon, 2)) tunnel.socket.terminate()
  await fetchWebSocketEcho({ port: daemon.port }, '/echo')
  for (const tunnel of tunnels) await tunnel.ended

  const isQuiet = async () => {
    const { workers } = await daemon.status()
    return workers.length === 1 && workers.every(({ stats }) => stats && stats.inFlight === 0)
  }
  await waitFor(isQuiet, { what: 'the exchanges to end' })
  const last = await waitFor(
    async () => {
      const now = await scrape(admin)
      assertEqualToLog(now, readLines(daemon))
      return now
    },
    { what: 'the counts to be those of the log', everyMs: 200 },
  )
  assertNothingFell(middle, last)
  const reasons = new Set(readLines(daemon).map(({ reason }) => reason))
  for (const reason of ['no_route', 'bad_request', 'backend_reset', 'connect_failed', 'client_gone']) {
    assert.ok(reasons.has(reason), `nothing ended with ${reason}`)
  }
  t.diagnostic(`${readLines(daemon).length} exchanges, of which ${reasons.size - 1} reasons were met`)
})

test('a scrape is what Prometheus takes', { skip: hasPromtool ? false : 'promtool is not installed' }, async (t) => {
  const admin = await findClosedPort()
  const echo = await startEcho(t)
  const closed = { port: await findClosedPort() }
  const odd = { path: '/odd', name: 'a "quoted" \\ näme\n', respond: { body: 'x' } }
  const routes = [routeTo('/echo', echo), routeTo('/closed', closed), odd]
  const daemon = await startDaemon(t, { config: proxyConfig(routes, {}, { admin: { port: admin } }) })
  const target = { port: daemon.port }
  const [open] = await openTunnels(daemon, 1)
  await fetchEcho(target, { path: '/echo' })
  for (const path of ['/odd', '/closed', '/nowhere']) await sendRequest(target, { path })
  const { text, samples } = await waitFor(
    async () => {
      const now = await scrape(admin)
      return now.sum('pyserve_requests_total') === 4 && now.sum('pyserve_tunnels') === 1 && now
    },
    { what: 'what was sent to be counted' },
  )
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  assert.equal(`${stdout}${stderr}`, '')
  const told = new Set(samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')))
  assert.deepEqual([...told].toSorted(), Object.keys(METRICS).toSorted())
  assert.ok(samples.some(({ labels }) => labels['route'] === 'a "quoted" \\ näme'))
  open?.socket.close(1000)
  await open?.ended
})

test('status tells rates, errors and response times, and the admin listener the same', async (t) => {
  const admin = await findClosedPort()
  const echo = await startEcho(t)
  const routes = [routeTo('/echo', echo), routeTo('/closed', { port: await findClosedPort() })]
  const daemon = await startDaemon(t, { config: proxyConfig(routes, {}, { admin: { port: admin } }) })
  for (let i = 0; i < 30; i++) await fetchEcho({ port: daemon.port }, { path: '/echo' })
  for (let i = 0; i < 10; i++) await sendRequest({ port: daemon.port }, { path: '/closed' })
  const status = await waitFor(
    async () => {
      const now = await daemon.status()
      return now.traffic.total.requests === 40 && now
    },
    { what: 'the requests to be counted' },
  )
  const { total, routes: rows, spanMs } = status.traffic
  assert.deepEqual(
    rows.map(({ name, requests, errors, errorRate }) => ({ name, requests, errors, errorRate })),
    [
      { name: '/echo', requests: 30, errors: 0, errorRate: 0 },
      { name: '/closed', requests: 10, errors: 10, errorRate: 1 },
    ],
  )
  assert.ok(Math.abs(total.requestsPerSecond - 40_000 / spanMs) < 0.01, `${total.requestsPerSecond} in ${spanMs} ms`)
  const { p50Ms = 0, p90Ms = 0, p99Ms = 0 } = total.overall
  assert.ok(p50Ms > 0 && p50Ms <= p90Ms && p90Ms <= p99Ms, `${p50Ms} ${p90Ms} ${p99Ms}`)
  const page = JSON.parse((await sendRequest({ port: admin }, { path: '/status' })).body.toString())
  const command = JSON.parse((await daemon.cli('status', '--json')).stdout)
  assert.equal(page.running, true)
  assert.deepEqual(Object.keys(page), Object.keys(command))
  assert.deepEqual(page.traffic.total.overall, command.traffic.total.overall)
  const { stdout } = await daemon.cli('status')
  assert.match(stdout, /^all +40 /m)
  assert.match(stdout, new RegExp(`^ {2}admin +http://127\\.0\\.0\\.1:${admin}$`, 'm'))
})

/** Requests one after another, on connections that are kept where the server keeps them. */
async function runKept(port: number, first: number, isOver: () => boolean): Promise<void> {
  let connection = new ClientConnection({ port })
  for (let i = first; !isOver(); i++) {
    const request = REQUESTS[i % REQUESTS.length]
    if (request === undefined) continue
    const isKept = await sendOn(connection, request)
    if (isKept) continue
    connection.destroy()
    connection = new ClientConnection({ port })
    await delay(1)
  }
  connection.destroy()
}

async function sendOn(connection: ClientConnection, request: SentRequest): Promise<boolean> {
  try {
    const isChunked = request.headers?.includes('chunked') === true
    if (!isChunked) return (await connection.request(request)).kept
    const head = `POST ${request.path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`
    connection.socket.write(`${head}3\r\nabc\r\n0\r\n\r\n`)
    return (await connection.readReply('POST')).kept
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return false
  }
}

async function runNew(port: number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await fetchEcho({ port }, { path: '/echo/new' })
    await delay(2)
  }
}

/** Clients that go at every stage. */
async function runAborting(port: number, isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.on('error', () => undefined).resume()
    await once(socket, 'connect')
    socket.write(ABORTED[i % ABORTED.length] ?? '')
    await delay(Math.random() * 20)
    if (i % 2 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
}

async function openTunnels(daemon: Daemon, count: number): Promise<WebSocketClient[]> {
  const tunnels = Array.from({ length: count }, () => new WebSocketClient({ port: daemon.port }, '/echo'))
  const opened = await Promise.all(tunnels.map((tunnel) => tunnel.opened()))
  assert.ok(opened.every((isOpen) => isOpen))
  return tunnels
}

async function waitForLines(daemon: Daemon, count: number): Promise<void> {
  await waitFor(() => readLines(daemon).length >= count, { what: `${count} lines in the access log` })
}

function readLines(daemon: Daemon): AccessRecord[] {
  const lines = daemon.readLog().split('\n')
  return lines.flatMap((line) => (line.startsWith('{') ? (parseAccessFields(JSON.parse(line)) ?? []) : []))
}

function assertNothingFell(before: Scrape, after: Scrape): void {
  for (const { name, labels, value } of before.samples) {
    if (!/_(total|bucket|sum|count)$/.test(name)) continue
    const now = after.sum(name, labels)
    assert.ok(now >= value, `${name} ${JSON.stringify(labels)} fell from ${value} to ${now}`)
  }
}

function assertEqualToLog(last: Scrape, lines: readonly AccessRecord[]): void {
  const count = (pick: (line: AccessRecord) => boolean) => lines.filter(pick).length
  const add = (read: (line: AccessRecord) => number) => lines.reduce((sum, line) => sum + read(line), 0)
  assert.equal(last.sum('pyserve_requests_total'), lines.length)
  for (const route of new Set(lines.map((line) => line.route ?? ''))) {
    const own = (line: AccessRecord) => (line.route ?? '') === route
    for (const first of [0, 1, 2, 3, 4, 5]) {
      const labels = { route, status_class: first === 0 ? 'none' : `${first}xx` }
      const expected = count((line) => own(line) && Math.trunc(line.status / 100) === first)
      assert.equal(last.sum('pyserve_requests_total', labels), expected, JSON.stringify(labels))
    }
    const timed = count((line) => own(line) && !line.tunnel)
    assert.equal(last.sum('pyserve_request_duration_seconds_count', { route }), timed, route)
    const heads = count((line) => own(line) && line.firstByteMs !== undefined)
    assert.equal(last.sum('pyserve_first_byte_duration_seconds_count', { route }), heads, route)
    const opened = count((line) => own(line) && (line.connectMs ?? 0) > 0)
    assert.equal(last.sum('pyserve_connect_duration_seconds_count', { route }), opened, route)
    assert.equal(
      last.sum('pyserve_tunnels_opened_total', { route }),
      count((line) => own(line) && line.tunnel),
      route,
    )
  }
  for (const reason of new Set(lines.map((line) => line.reason))) {
    if (reason === undefined) continue
    const failed = last.sum('pyserve_exchange_failures_total', { reason })
    assert.equal(
      failed,
      count((line) => line.reason === reason),
      reason,
    )
  }
  const failures = count(({ reason }) => reason !== undefined)
  assert.equal(last.sum('pyserve_exchange_failures_total'), failures)
  assert.equal(
    last.sum('pyserve_request_bytes_total'),
    add(({ bytesIn }) => bytesIn),
  )
  assert.equal(
    last.sum('pyserve_response_bytes_total'),
    add(({ bytesOut }) => bytesOut),
  )
  assert.equal(
    last.sum('pyserve_backend_requests_total'),
    count(({ backend }) => backend !== undefined),
  )
  assert.equal(last.sum('pyserve_in_flight'), 0)
  assert.equal(last.sum('pyserve_tunnels'), 0)
  assert.equal(last.sum('pyserve_backend_in_flight'), 0)
}
