import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { type EchoOptions, startEcho } from '../helpers/backends.ts'
import { createAuthority, issueCertificate } from '../helpers/certificates.ts'
import { assertDone, createSite, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { readField, sendRequest, type Target } from '../helpers/http-client.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

const directory = join(import.meta.dirname, 'seed')
const authority = createAuthority()
const certificate = issueCertificate(authority, { names: ['localhost', '127.0.0.1'] })
const certificateFiles = { 'ssl/cert.pem': certificate.certPem, 'ssl/key.pem': certificate.keyPem }

interface SeedBlock {
  readonly server: {
    readonly reverse_proxy: readonly { host: string; path: string; port: number; ssl?: boolean }[]
  }
}

for (const file of readdirSync(directory)) {
  test(`the block ${file} passes check as it stands`, async (t) => {
    const site = createSite(t, { config: readBlock(file), files: certificateFiles })
    assertDone(await site.cli('check'))
  })
}

test('overview: three backends by path, one of them behind TLS, WebSocket on each without a setting', async (t) => {
  const { target } = await startBlock(t, 'overview.yaml')
  for (const { path, backend } of [
    { path: '/api', backend: 'localhost:3000' },
    { path: '/ws', backend: 'localhost:8080' },
    { path: '/socket.io', backend: 'example.com:443' },
  ]) {
    const echo = await fetchEcho(target, { path: `${path}/a?b=c` })
    assert.deepEqual([echo.backend, echo.target], [backend, '/a?b=c'])
    const seen = await fetchWebSocketEcho(target, `${path}/d`)
    assert.deepEqual([seen.backend, seen.target], [backend, '/d'])
  }
})

test('options: host, path, port and ssl have the defaults of the table', async (t) => {
  const daemon = await startDaemon(t, {
    config: 'server: { host: 127.0.0.1, port: 0, workers: 1, reverse_proxy: [ {} ] }\n',
  })
  const { stdout } = await daemon.cli('routes', '--json')
  const [route] = findRoutes(JSON.parse(stdout))
  assert.deepEqual([route?.path, route?.target], ['/', 'http://localhost:80'])
})

test('http: methods, fields, body and response pass, and the prefix is taken off', async (t) => {
  const { target } = await startBlock(t, 'http.yaml')
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const body = method === 'GET' || method === 'OPTIONS' ? undefined : randomBytes(10_000)
    const sent = { method, path: '/api/users/1', headers: ['X-Own', `of ${method}`], ...(body && { body }) }
    const echo = await fetchEcho(target, sent)
    assert.deepEqual(
      [echo.method, echo.target, readField(echo.headers, 'x-own'), echo.bodySha256],
      [method, '/users/1', `of ${method}`, sha256(body ?? '')],
    )
  }
  const head = await sendRequest(target, { method: 'HEAD', path: '/api' })
  assert.deepEqual([head.status, head.body.length], [200, 0])
})

test('http: what comes back is what the backend answered', async (t) => {
  const { target } = await startBlock(t, 'http.yaml')
  const reply = await sendRequest(target, { path: '/api/teapot' })
  assert.equal(reply.status, 418)
  assert.equal(readField(reply.headers, 'x-tea'), 'green')
  assert.equal(reply.body.toString(), 'short and stout')
})

test('websocket: text, binary, fragments, pings and closing codes pass both ways', async (t) => {
  const { target, closes } = await startBlock(t, 'websocket.yaml')
  const client = new WebSocketClient(target, '/ws')
  assert.ok(await client.opened())
  assert.equal(String(await client.ask('текст')), 'текст')
  const binary = randomBytes(200_000)
  assert.deepEqual(await client.ask(binary), binary)
  client.socket.send('one ', { fin: false })
  assert.equal(String(await client.ask('two')), 'one two')
  const pong = new Promise((resolve) => client.socket.once('pong', (data: Buffer) => resolve(String(data))))
  client.socket.ping('are you there')
  assert.equal(await pong, 'are you there')
  client.socket.close(4321, 'done here')
  assert.equal((await client.ended).code, 4321)
  await waitFor(() => closes.length > 0, { what: 'the close at the backend' })
  assert.deepEqual(closes, ['4321 done here'])
})

test('tls: HTTPS and WSS in front, HTTPS and WSS behind', async (t) => {
  const { target } = await startBlock(t, 'tls.yaml')
  assert.ok(target.tls)
  const echo = await fetchEcho(target, { path: '/secure/a' })
  assert.deepEqual([echo.backend, echo.target, echo.serverName], ['secure.example.com:443', '/a', 'localhost'])
  assert.equal((await fetchWebSocketEcho(target, '/secure/b')).target, '/b')
})

test('api gateway: three services by prefix', async (t) => {
  const { target } = await startBlock(t, 'api-gateway.yaml')
  for (const { path, backend } of [
    { path: '/auth/login', backend: 'auth.internal:3000' },
    { path: '/api/v1/login', backend: 'api.internal:8000' },
    { path: '/api/v2/login', backend: 'api.internal:8001' },
  ]) {
    const echo = await fetchEcho(target, { path })
    assert.deepEqual([echo.backend, echo.target], [backend, '/login'])
  }
})

test('chat: two WebSocket services', async (t) => {
  const { target } = await startBlock(t, 'chat.yaml')
  assert.equal((await fetchWebSocketEcho(target, '/ws/chat')).backend, 'chat.internal:8080')
  assert.equal((await fetchWebSocketEcho(target, '/ws/notifications')).backend, 'notifications.internal:8081')
})

test('mixed: HTTP and WebSocket backends behind TLS', async (t) => {
  const { target } = await startBlock(t, 'mixed.yaml')
  assert.equal((await fetchEcho(target, { path: '/api/a' })).backend, 'api.example.com:443')
  assert.equal((await fetchWebSocketEcho(target, '/realtime/b')).backend, 'ws.example.com:443')
})

/**
 * The block as it stands but for this: its own port is any free one, and each backend's host and port are those of an
 * echo backend on loopback, which tells the host and port that the block names. Backends with `ssl` have a certificate
 * of an authority that the daemon is told of by NODE_EXTRA_CA_CERTS.
 */
async function startBlock(
  t: TestContext,
  file: string,
): Promise<{ daemon: Daemon; target: Target; closes: readonly string[] }> {
  const block = parse(readBlock(file)) as SeedBlock
  const closes: string[] = []
  for (const route of block.server.reverse_proxy) {
    const backend = await startEcho(t, {
      name: `${route.host}:${route.port}`,
      tls: route.ssl ? certificate : undefined,
      answer: answerTeapot,
      onWebSocket: (webSocket) => webSocket.on('close', (code, reason) => closes.push(`${code} ${reason}`)),
    })
    Object.assign(route, { host: 'localhost', port: backend.port })
  }
  Object.assign(block.server, { host: '127.0.0.1', port: 0, workers: 2 })
  const daemon = await startDaemon(t, {
    config: block,
    files: certificateFiles,
    env: { NODE_EXTRA_CA_CERTS: authority.certFile },
  })
  const [listen] = daemon.listen
  const tls = listen?.tls ? { ca: authority.certPem, servername: 'localhost' } : undefined
  return { daemon, target: { port: daemon.port, tls }, closes }
}

const answerTeapot: NonNullable<EchoOptions['answer']> = (request, response) => {
  if (request.url !== '/teapot') return false
  response.writeHead(418, { 'X-Tea': 'green' }).end('short and stout')
  return true
}

function findRoutes(document: unknown): { path: string; target: string }[] {
  const list = Array.isArray(document) ? document : (document as { routes?: unknown }).routes
  return list as { path: string; target: string }[]
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function readBlock(file: string): string {
  return readFileSync(join(directory, file), 'utf8')
}
