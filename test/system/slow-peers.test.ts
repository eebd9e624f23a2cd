import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { startEcho, startFaulty, startHttpBackend } from '../helpers/backends.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { ClientConnection, readField, sendRequest } from '../helpers/http-client.ts'
import { readRssBytes } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const LIMIT_MS = 1_000
/** What a limit of a second may take on a machine that is busy with other tests. */
const BOUND_MS = 6_000

const clientTimeouts = { header: '1s', body_idle: '1s', write_idle: '1s', keep_alive: '1s' }
const routeTimeouts = { connect: '1s', response: '1s', idle: '1s', websocket_idle: '1s' }

test('a slow or dead client is let go of', async (t) => {
  const backend = await startEcho(t)
  const endless = await startHttpBackend(t, (_request, response) => {
    const chunk = Buffer.alloc(1 << 16)
    const fill = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', fill)
    fill()
  })
  const routes = [
    routeTo('/echo', backend, { timeouts: { ...routeTimeouts, idle: '30s' } }),
    routeTo('/endless', endless),
  ]
  const daemon = await startDaemon(t, { config: proxyConfig(routes, { timeouts: clientTimeouts }) })
  const { port } = daemon
  const [pid = 0, otherPid = 0] = await daemon.workerPids()

  await t.test('one that never says a word', async (t) => {
    await expectEnd(open(t, port))
  })
  await t.test('one that sends a head byte by byte', async (t) => {
    const socket = open(t, port)
    const timer = setInterval(() => socket.write('X'), 100)
    t.after(() => clearInterval(timer))
    socket.write('GET /echo HTTP/1.1\r\nHost: a\r\nX-Slow: ')
    const answer = await expectEnd(socket)
    assert.match(answer, /^(HTTP\/1\.1 408 .*)?/)
  })
  await t.test('one that stops in its body is answered 408, and the backend is let go of', async (t) => {
    const connection = new ClientConnection({ port })
    t.after(() => connection.destroy())
    connection.socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
    const reply = await connection.readReply('POST')
    assert.deepEqual([reply.status, readField(reply.headers, 'x-pyserve-reason')], [408, 'idle_timeout'])
    await connection.closed()
    await waitFor(() => backend.connections.size === 0, { what: 'the backend to be let go of' })
  })
  await t.test('one that keeps a connection without a use for it', async (t) => {
    const socket = open(t, port)
    socket.write('GET /echo HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(await expectEnd(socket), /^HTTP\/1\.1 200 /)
  })
  await t.test('one that reads nothing, without filling the memory', async (t) => {
    const beforeBytes = readRssBytes(pid) + readRssBytes(otherPid)
    const socket = open(t, port)
    socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
    await waitFor(() => endless.connections.size === 1, { what: 'the backend to be asked' })
    await waitFor(() => endless.connections.size === 0, { what: 'the backend to be let go of', timeoutMs: BOUND_MS })
    const grownBytes = readRssBytes(pid) + readRssBytes(otherPid) - beforeBytes
    t.diagnostic(`memory grew by ${(grownBytes / 1024 ** 2).toFixed(1)} MB`)
    assert.ok(grownBytes < 32 * 1024 ** 2)
  })
  assert.deepEqual(await daemon.workerPids(), [pid, otherPid])
})

test('a slow or dead backend is answered for', async (t) => {
  const unreachable = await startUnreachable(t)
  const routes = [
    { path: '/silent', ...(await startFaulty(t, 'silent')) },
    { path: '/closes', ...(await startFaulty(t, 'closes')) },
    { path: '/resets', ...(await startFaulty(t, 'resets')) },
    { path: '/no-http', ...(await startFaulty(t, 'is no HTTP')) },
    { path: '/two-lengths', ...(await startFaulty(t, 'answers two lengths')) },
    { path: '/unreachable', port: unreachable },
    { path: '/stalls', ...(await startFaulty(t, 'stalls in the body')) },
    { path: '/ends', ...(await startFaulty(t, 'ends in the body')) },
    { path: '/chunk', ...(await startFaulty(t, 'ends in a chunk')) },
    { path: '/resets-late', ...(await startFaulty(t, 'resets in the body')) },
  ].map(({ path, port }) => routeTo(path, { port }, { timeouts: routeTimeouts }))
  const daemon = await startDaemon(t, { config: proxyConfig(routes) })
  const pids = await daemon.workerPids()
  const target = { port: daemon.port, patienceMs: BOUND_MS }

  for (const { path, status, reason } of [
    { path: '/silent', status: 504, reason: 'response_timeout' },
    { path: '/closes', status: 502, reason: 'backend_reset' },
    { path: '/resets', status: 502, reason: 'backend_reset' },
    { path: '/no-http', status: 502, reason: 'bad_response' },
    { path: '/two-lengths', status: 502, reason: 'bad_response' },
    { path: '/unreachable', status: 504, reason: 'connect_timeout' },
  ]) {
    await t.test(`${path}: ${status} ${reason}`, async () => {
      const reply = await sendRequest(target, { path })
      assert.deepEqual([reply.status, readField(reply.headers, 'x-pyserve-reason')], [status, reason])
    })
    await t.test(`${path} for a WebSocket: ${status} ${reason}`, async () => {
      const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13']
      const headers = [...upgrade, 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']
      const reply = await sendRequest(target, { path, headers })
      assert.deepEqual([reply.status, readField(reply.headers, 'x-pyserve-reason')], [status, reason])
    })
  }
  for (const path of ['/stalls', '/ends', '/chunk', '/resets-late']) {
    await t.test(`${path}: the connection is cut, so that a part is not taken for the whole`, async () => {
      await assert.rejects(sendRequest(target, { path }), /in mid-response/)
    })
  }
  assert.deepEqual(await daemon.workerPids(), pids)
})

test('a WebSocket on which nothing happens is ended', async (t) => {
  const backend = await startEcho(t)
  const config = proxyConfig([routeTo('/ws', backend, { timeouts: routeTimeouts })])
  const { port } = await startDaemon(t, { config })
  const socket = open(t, port)
  const fields = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13'
  socket.write(`GET /ws HTTP/1.1\r\n${fields}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
  assert.match(await expectEnd(socket), /^HTTP\/1\.1 101 /)
  await waitFor(() => backend.connections.size === 0, { what: 'the backend to be let go of' })
})

function open(t: TestContext, port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  return socket
}

/** What came until the server ended the connection, which it does neither at once nor late. */
async function expectEnd(socket: Socket): Promise<string> {
  const startedMs = performance.now()
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  await once(socket, 'close', { signal: AbortSignal.timeout(BOUND_MS) })
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs > LIMIT_MS * 0.9, `ended after ${tookMs} ms already`)
  return received
}

/**
 * A port that answers no connection: the queue of its listener, a process that stands still, is full, and the system
 * drops what comes on top.
 */
async function startUnreachable(t: TestContext): Promise<number> {
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(this.address().port)
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  child.kill('SIGSTOP')
  const port = Number(line)
  for (let i = 0; i < 4; i++) open(t, port)
  return port
}
