import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { startHttpBackend, type TestBackend } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { ClientConnection, readField, sendRequest } from '../helpers/http-client.ts'
import { countFds, readRssBytes } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const DECODE = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }
const ABORTED = 600
const CLIENTS = 12

interface Compressing {
  readonly daemon: Daemon
  readonly backend: TestBackend
}

async function startCompressing(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  server: object = {},
): Promise<Compressing> {
  const backend = await startHttpBackend(t, answer)
  const daemon = await startDaemon(t, {
    config: proxyConfig([routeTo('/', backend, { compression: 'on' }), routeTo('/plain', backend)], server, {
      logging: { structured_logs: true, log_file: './run/pyserve.log' },
    }),
  })
  return { daemon, backend }
}

/** Writes for as long as anybody reads, what cannot be made much shorter. */
function answerWithoutEnd(response: ServerResponse): void {
  const chunk = Buffer.from(randomBytes(1 << 20).toString('base64'))
  response.writeHead(200, { 'Content-Type': 'text/plain' })
  const fill = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', fill)
  fill()
}

test('a body goes compressed to who accepts it, and as it is to others', async (t) => {
  const body = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `user ${id}` }))))
  const { daemon } = await startCompressing(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length, ETag: '"v1"' })
    response.end(body)
  })
  const target = { port: daemon.port }
  for (const coding of ['br', 'gzip', 'zstd'] as const) {
    const { headers, body: encoded } = await sendRequest(target, { path: '/a', headers: ['Accept-Encoding', coding] })
    assert.equal(readField(headers, 'content-encoding'), coding)
    assert.equal(readField(headers, 'content-length'), undefined)
    assert.equal(readField(headers, 'etag'), 'W/"v1"')
    assert.equal(readField(headers, 'vary'), 'Accept-Encoding')
    assert.ok(encoded.length < body.length / 4)
    assert.ok(DECODE[coding](encoded).equals(body))
    // The log has what was sent, not what the backend had.
    await waitFor(() => daemon.readLog().includes(`"bytes_out":${encoded.length},`), { what: 'the line in the log' })
  }
  const plain = await sendRequest(target, { path: '/a' })
  assert.equal(readField(plain.headers, 'content-length'), String(body.length))
  assert.equal(readField(plain.headers, 'vary'), 'Accept-Encoding')
  const off = await sendRequest(target, { path: '/plain/a', headers: ['Accept-Encoding', 'gzip'] })
  assert.deepEqual([readField(off.headers, 'vary'), off.body.length], [undefined, body.length])
  const head = await sendRequest(target, { method: 'HEAD', path: '/a', headers: ['Accept-Encoding', 'gzip'] })
  assert.deepEqual([head.status, readField(head.headers, 'content-encoding')], [200, undefined])
})

test('trailers come after a compressed body', async (t) => {
  const { daemon } = await startCompressing(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', Trailer: 'X-Sum' })
    response.write('a'.repeat(5_000))
    response.addTrailers({ 'X-Sum': '7' })
    response.end()
  })
  const reply = await sendRequest({ port: daemon.port }, { path: '/', headers: ['Accept-Encoding', 'gzip'] })
  assert.equal(gunzipSync(reply.body).length, 5_000)
  assert.deepEqual(reply.trailers, ['X-Sum', '7'])
})

test('an event is there before the next one is sent', async (t) => {
  let response: ServerResponse | undefined
  const { daemon } = await startCompressing(t, (_request, given) => {
    response = given.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.flushHeaders()
  })
  const socket = connect({ host: '127.0.0.1', port: daemon.port })
  t.after(() => socket.destroy())
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  socket.write('GET /events HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
  await waitFor(() => received.includes('\r\n\r\n'), { what: 'the head' })
  assert.match(received.toString('latin1'), /content-encoding: gzip/i)
  let expected = ''
  for (let i = 0; i < 5; i++) {
    expected += `data: ${i}\n\n`
    response?.write(`data: ${i}\n\n`)
    await waitFor(async () => (await decodeChunks(received)) === expected, { what: `event ${i}` })
  }
  socket.destroy()
})

test('a client that reads slowly costs little memory', async (t) => {
  const { daemon, backend } = await startCompressing(t, (_request, response) => answerWithoutEnd(response))
  const pids = await daemon.workerPids()
  const rss = () => pids.reduce((total, pid) => total + readRssBytes(pid), 0)
  const before = rss()
  const socket = connect({ host: '127.0.0.1', port: daemon.port })
  t.after(() => socket.destroy())
  socket.pause()
  socket.write('GET /big HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
  const sent = () => [...backend.connections].reduce((total, { bytesWritten }) => total + bytesWritten, 0)
  let last = 0
  const hasStopped = () => {
    const earlier = last
    last = sent()
    return earlier > 0 && earlier === last
  }
  await waitFor(hasStopped, { what: 'a stop', everyMs: 1_000 })
  const grown = rss() - before
  t.diagnostic(`${last} bytes were taken, memory grew by ${grown} bytes`)
  assert.ok(grown < 48 << 20, `memory grew by ${grown} bytes`)
  let read = 0
  socket.on('data', (chunk) => {
    read += chunk.length
  })
  socket.resume()
  await waitFor(() => read > 32 << 20, { what: 'more of it, once it is read' })
  assert.ok(rss() - before < 96 << 20, `memory grew by ${rss() - before} bytes`)
  socket.destroy()
})

test(`${ABORTED} clients that go away leave nothing behind`, async (t) => {
  const { daemon, backend } = await startCompressing(t, (request, response) => {
    if (request.url === '/end') response.writeHead(200, { 'Content-Type': 'text/plain' }).end('all'.repeat(1_000))
    else answerWithoutEnd(response)
  })
  const pids = await daemon.workerPids()
  const fds = () => pids.reduce((total, pid) => total + countFds(pid), 0)
  const rss = () => pids.reduce((total, pid) => total + readRssBytes(pid), 0)
  const codings = ['br', 'gzip', 'zstd']
  const abortSome = async (count: number) => {
    let begun = 0
    const abortNext = async () => {
      while (begun < count) await abortAfter(daemon.port, codings[begun % 3] ?? '', (begun++ % 4) * 30_000)
    }
    await Promise.all(Array.from({ length: CLIENTS }, abortNext))
    await waitFor(() => backend.connections.size === 0, { what: 'the backend to be let go of' })
  }
  const quiet = fds()
  await abortSome(ABORTED / 2)
  const before = rss()
  await abortSome(ABORTED / 2)
  const grown = rss() - before
  t.diagnostic(`memory grew by ${grown} bytes`)
  // What the encoders of half of them hold is at least 100 MB.
  assert.ok(grown < 48 << 20, `memory grew by ${grown} bytes`)
  await waitFor(() => fds() <= quiet, { what: () => `${quiet} file descriptors, not ${fds()}` })
  const reply = await sendRequest({ port: daemon.port }, { path: '/end', headers: ['Accept-Encoding', 'br'] })
  assert.equal(brotliDecompressSync(reply.body).length, 3_000)
  assert.deepEqual(await daemon.workerPids(), pids)
})

test('a backend that breaks off is not taken for one that ended', async (t) => {
  const { daemon } = await startCompressing(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' })
    response.write('half of it', () => response.destroy())
  })
  const connection = new ClientConnection({ port: daemon.port })
  t.after(() => connection.destroy())
  await assert.rejects(connection.request({ path: '/', headers: ['Accept-Encoding', 'gzip'] }), /in mid-response/)
})

/** Goes away with this much of the response read, or as soon as its head is there. */
async function abortAfter(port: number, coding: string, bytes: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`GET /big HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`)
  let read = 0
  await new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      read += chunk.length
      if (read > bytes) resolve(undefined)
    })
  })
  socket.on('error', () => undefined)
  socket.destroy()
}

/** The text in the chunks of a response that has not ended. */
async function decodeChunks(received: Buffer): Promise<string> {
  const gunzip = createGunzip()
  let text = ''
  gunzip.on('data', (chunk) => {
    text += chunk
  })
  let at = received.indexOf('\r\n\r\n') + 4
  for (let end = received.indexOf('\r\n', at); end !== -1; end = received.indexOf('\r\n', at)) {
    const size = Number.parseInt(received.toString('latin1', at, end), 16)
    gunzip.write(received.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
  await new Promise<void>((resolve) => gunzip.flush(resolve))
  gunzip.destroy()
  return text
}
