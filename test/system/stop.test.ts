import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type EchoBackend, startEcho } from '../helpers/backends.ts'
import { collect, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { ClientConnection, sendRequest } from '../helpers/http-client.ts'
import { describeLoad, type LoadFailure, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

const DOWNLOAD_BYTES = 8 << 20

test('stop finishes the requests, uploads and downloads that are open, and tells tunnels to go away', async (t) => {
  const { daemon, waiting } = await startProxy(t, { drain: '20s', websocket_drain: '5s' })
  const target = { port: daemon.port }
  const slow = Array.from({ length: 20 }, (_, index) => sendRequest(target, { path: `/slow/${index}` }))
  const upload = startUpload(t, daemon)
  const download = startDownload(t, daemon)
  const webSocket = new WebSocketClient(target, '/echo')
  assert.ok(await webSocket.opened())
  await waitFor(() => waiting.length === slow.length, { what: 'the requests at the backend' })
  await once(download, 'readable')

  const stopped = daemon.cli('stop')
  await waitForStop(daemon)
  assert.equal((await webSocket.ended).code, 1001)
  for (const response of waiting) response.end('finished')
  for (const reply of await Promise.all(slow)) assert.equal(reply.body.toString(), 'finished')
  assert.equal(await upload.finish(), upload.bytes)
  assert.equal(await countBytes(download), DOWNLOAD_BYTES)

  const { code, stdout } = await stopped
  assert.equal(code, 0, stdout)
  assert.match(stdout, /cleanly/)
  await daemon.ended()
})

test('stop under load cuts nothing that was begun', async (t) => {
  const { daemon } = await startProxy(t, { drain: '20s', websocket_drain: '5s' })
  const load = startLoad({ port: daemon.port }, { path: '/echo' })
  await waitFor(() => Object.values(load.result).every(({ requests }) => requests > 20), { what: 'load of all kinds' })
  const stopped = daemon.cli('stop')
  await daemon.ended()
  assert.equal((await stopped).code, 0)
  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  // A connection that comes when nobody listens any more is not one that was open.
  const isTooLate = ({ why }: LoadFailure) => /ECONNREFUSED|ECONNRESET/.test(why) && !/reused|mid-response/.test(why)
  assert.deepEqual(
    listFailures(result).filter((failure) => !isTooLate(failure)),
    [],
  )
})

test('a request that does not end is cut when drain is over', async (t) => {
  const { daemon, waiting } = await startProxy(t, { drain: '1s', websocket_drain: '1s' })
  const cut = assert.rejects(sendRequest({ port: daemon.port }, { path: '/slow' }))
  await waitFor(() => waiting.length === 1, { what: 'the request at the backend' })
  const startedMs = performance.now()
  await daemon.cli('stop')
  const tookMs = performance.now() - startedMs
  await cut
  assert.ok(tookMs > 900 && tookMs < 5_000, `${tookMs} ms`)
  await daemon.ended()
})

for (const { name, signal } of [
  { name: 'SIGTERM', signal: 'SIGTERM' },
  { name: 'SIGINT', signal: 'SIGINT' },
] as const) {
  test(`the first ${name} drains, the second ends at once with exit code 4`, async (t) => {
    const { daemon, waiting } = await startProxy(t, { drain: '60s' }, 'run')
    assert.ok(daemon.child)
    const result = collect(daemon.child)
    const cut = assert.rejects(sendRequest({ port: daemon.port }, { path: '/slow' }))
    await waitFor(() => waiting.length === 1, { what: 'the request at the backend' })
    daemon.child.kill(signal)
    await waitForStop(daemon)
    const startedMs = performance.now()
    // Two interrupts within a tenth of a second are one key press.
    await waitFor(() => daemon.child?.exitCode !== null || !daemon.child.kill(signal), {
      what: 'the end',
      everyMs: 400,
    })
    assert.equal((await result).code, 4)
    const tookMs = performance.now() - startedMs
    t.diagnostic(`ended ${Math.round(tookMs)} ms after the second signal`)
    assert.ok(tookMs < 2_000)
    await cut
    await daemon.ended()
  })
}

test('one SIGTERM under nothing ends with exit code 0', async (t) => {
  const { daemon } = await startProxy(t, {}, 'run')
  assert.ok(daemon.child)
  const result = collect(daemon.child)
  daemon.child.kill('SIGTERM')
  assert.equal((await result).code, 0)
  await daemon.ended()
})

test('stop --force ends at once with exit code 4', async (t) => {
  const { daemon, waiting } = await startProxy(t, { drain: '60s' })
  const cut = assert.rejects(sendRequest({ port: daemon.port }, { path: '/slow' }))
  await waitFor(() => waiting.length === 1, { what: 'the request at the backend' })
  const { code } = await daemon.cli('stop', '--force')
  assert.equal(code, 4)
  await cut
  await daemon.ended()
})

interface Proxy {
  readonly daemon: Daemon
  /** Responses that the backend owes to /slow. */
  readonly waiting: ServerResponse[]
}

async function startProxy(t: TestContext, timeouts: object, mode: 'start' | 'run' = 'start'): Promise<Proxy> {
  const waiting: ServerResponse[] = []
  const backend = await startEcho(t, {
    answer: (request, response) => {
      if (request.url === '/download') response.end(randomBytes(DOWNLOAD_BYTES))
      else if (request.url?.startsWith('/slow')) waiting.push(response)
      else return false
      return true
    },
  })
  const routes = createRoutes(backend)
  return { daemon: await startDaemon(t, { config: proxyConfig(routes, { timeouts }), mode }), waiting }
}

function createRoutes(backend: EchoBackend): object[] {
  return [
    routeTo('/slow', backend, { strip_path: false }),
    routeTo('/download', backend, { strip_path: false }),
    routeTo('/echo', backend),
  ]
}

async function waitForStop(daemon: Daemon): Promise<void> {
  await waitFor(async () => (await daemon.status()).state === 'stopping', { what: 'stop to begin' })
}

/** An upload of which the first half has been sent. */
function startUpload(t: TestContext, { port }: Daemon) {
  const half = randomBytes(500_000)
  const connection = new ClientConnection({ port })
  t.after(() => connection.destroy())
  connection.socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${half.length * 2}\r\n\r\n`)
  connection.socket.write(half)
  return {
    bytes: half.length * 2,
    finish: async (): Promise<number> => {
      connection.socket.write(half)
      const reply = await connection.readReply('POST')
      assert.equal(reply.status, 200)
      return JSON.parse(reply.body.toString()).bodyBytes
    },
  }
}

/** A download that nobody reads yet. */
function startDownload(t: TestContext, { port }: Daemon): Socket {
  const socket = connect({ host: '127.0.0.1', port })
  t.after(() => socket.destroy())
  socket.write('GET /download HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  return socket
}

/** Bytes of the body that come until the server closes the connection. */
async function countBytes(socket: Socket): Promise<number> {
  const chunks = await socket.toArray()
  const all = Buffer.concat(chunks as Buffer[])
  return all.length - all.indexOf('\r\n\r\n') - 4
}
