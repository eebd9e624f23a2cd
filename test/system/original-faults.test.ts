import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { test } from 'node:test'
import { findClosedPort, startEcho, startHttpBackend } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { createSite, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { ClientConnection, readField, readFields, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const certificate = createCertificate({ names: ['localhost'] })

test('faults of the original', async (t) => {
  const api = await startEcho(t, { name: 'api' })
  const v2 = await startEcho(t, { name: 'v2' })
  const secure = await startEcho(t, { name: 'secure', tls: certificate })
  const body = randomBytes(1_000_000)
  const cookies = await startHttpBackend(t, (request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; Path=/', 'c=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT'])
    response.end(String(request.headers.cookie))
  })
  const large = await startHttpBackend(t, (request, response) => {
    request.resume()
    response.end(body)
  })
  const leaky = await startHttpBackend(t, (_request, response) => {
    response.setHeader('Connection', 'keep-alive, X-Hop')
    response.setHeader('X-Hop', 'backend only')
    response.setHeader('Proxy-Authenticate', 'Basic')
    response.setHeader('X-End', 'to end')
    response.end()
  })
  const refusingPort = await findClosedPort()
  const routes = [
    routeTo('/api', api),
    routeTo('/api/v2', v2),
    routeTo('/secure', secure, { ssl: { verify: false } }),
    routeTo('/cookies', cookies),
    routeTo('/large', large),
    routeTo('/leaky', leaky),
    routeTo('/refused', { port: refusingPort }),
  ]
  const { port } = await startDaemon(t, { config: proxyConfig(routes) })
  const target = { port }

  await t.test('/apifoo does not hit /api, and /api/v2 is reached although /api stands before it', async () => {
    assert.equal((await sendRequest(target, { path: '/apifoo' })).status, 404)
    assert.equal((await fetchEcho(target, { path: '/api/v2/x' })).backend, 'v2')
    assert.equal((await fetchEcho(target, { path: '/api/v2foo' })).backend, 'api')
  })

  await t.test('a query string is passed byte for byte', async () => {
    const query = '?a=1&a=2&b&c=&d=%20+%2B%c3%a4&&e==1&f=[]{}|^`'
    assert.equal((await fetchEcho(target, { path: `/api/x%20y/%C3%A4${query}` })).target, `/x%20y/%C3%A4${query}`)
    assert.equal((await fetchEcho(target, { path: '/api/x?' })).target, '/x?')
  })

  await t.test('X-Forwarded-For is the address of the socket', async () => {
    const { headers } = await fetchEcho(target, { path: '/api', headers: ['X-Forwarded-For', '1.2.3.4, unknown'] })
    assert.deepEqual(readFields(headers, 'x-forwarded-for'), ['127.0.0.1'])
  })

  await t.test('X-Forwarded-Proto is the client’s, not that of the backend', async () => {
    const { backend, headers } = await fetchEcho(target, { path: '/secure' })
    assert.deepEqual([backend, readFields(headers, 'x-forwarded-proto')], ['secure', ['http']])
  })

  await t.test('every Set-Cookie is kept', async () => {
    const { headers } = await sendRequest(target, { path: '/cookies' })
    assert.deepEqual(readFields(headers, 'set-cookie'), [
      'a=1; Path=/',
      'b=2; Path=/',
      'c=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
    ])
  })

  await t.test('no cookie of one client reaches the backend with another', async () => {
    await sendRequest(target, { path: '/cookies' })
    const { body: seen } = await sendRequest(target, { path: '/cookies' })
    assert.equal(seen.toString(), 'undefined')
  })

  await t.test('a body of any size passes whole, both ways', async () => {
    const echo = await fetchEcho(target, { method: 'POST', path: '/api', body })
    assert.equal(echo.bodyBytes, body.length)
    assert.deepEqual((await sendRequest(target, { path: '/large' })).body, body)
  })

  await t.test('a body that comes in pieces passes whole', async (t) => {
    const connection = new ClientConnection(target)
    t.after(() => connection.destroy())
    connection.socket.write('POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let i = 0; i < 20; i++) {
      connection.socket.write('5\r\nhello\r\n')
      await new Promise(setImmediate)
    }
    connection.socket.write('0\r\n\r\n')
    const reply = await connection.readReply('POST')
    assert.equal(JSON.parse(reply.body.toString()).bodyBytes, 100)
  })

  await t.test('hop-by-hop fields cross in neither direction', async () => {
    const hop = ['Connection', 'X-Mine', 'X-Mine', '1', 'Keep-Alive', 'timeout=9', 'TE', 'gzip', 'X-End', '1']
    const { headers } = await fetchEcho(target, { path: '/api', headers: [...hop, 'Proxy-Authorization', 'Basic x'] })
    for (const name of ['x-mine', 'keep-alive', 'te', 'proxy-authorization']) {
      assert.equal(readField(headers, name), undefined, name)
    }
    assert.equal(readField(headers, 'x-end'), '1')
    const reply = await sendRequest(target, { path: '/leaky' })
    assert.equal(readField(reply.headers, 'x-hop'), undefined)
    assert.equal(readField(reply.headers, 'proxy-authenticate'), undefined)
    assert.equal(readField(reply.headers, 'x-end'), 'to end')
  })

  await t.test('a WebSocket is answered 101', async () => {
    assert.equal((await fetchWebSocketEcho(target, '/api/chat')).target, '/chat')
  })

  await t.test('an error page shows neither the path nor where the backend is', async () => {
    for (const path of ['/<script>alert(1)</script>', '/refused/<b>']) {
      const { status, headers, body: page } = await sendRequest(target, { path, headers: ['Accept', 'text/html'] })
      assert.ok(status === 404 || status === 502 || status === 400)
      assert.match(readField(headers, 'content-type') ?? '', /^text\/html/)
      assert.doesNotMatch(page.toString(), new RegExp(`<script>|<b>|127\\.0\\.0\\.1|localhost|${refusingPort}`))
    }
  })
})

test('a missing certificate never falls back to plain HTTP', async (t) => {
  const port = await findClosedPort()
  const ssl = { enabled: true, cert_file: './missing.pem', key_file: './missing-key.pem' }
  const site = createSite(t, { config: proxyConfig([], { port }, { ssl }) })
  const { code, stderr, stdout } = await site.cli('start')
  assert.equal(code, 1)
  assert.match(`${stdout}${stderr}`, /missing\.pem/)
  const refused = await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.on('connect', () => resolve('connected'))
  })
  assert.equal(refused, 'ECONNREFUSED')
})

test('what is open at stop is finished', async (t) => {
  let finish: (() => void) | undefined
  const backend = await startHttpBackend(t, (_request, response) => {
    response.write('first, ')
    finish = () => response.end('last')
  })
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/slow', backend)]) })
  const reply = sendRequest({ port: daemon.port }, { path: '/slow' })
  const answer = await waitFor(() => finish, { what: 'the request at the backend' })
  const stopped = daemon.cli('stop')
  await waitFor(async () => (await daemon.status()).state === 'stopping', { what: 'stop to begin' })
  answer()
  assert.equal((await reply).body.toString(), 'first, last')
  assert.equal((await stopped).code, 0)
  await daemon.ended()
})
