import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { findClosedPort, startEcho, startHttpBackend } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { createSite, startDaemon } from '../helpers/daemon.ts'
import { fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const tls = { ssl: { enabled: true, cert_file: './cert.pem', key_file: './key.pem' } }

test('a WebSocket works with `websocket: true`, with false and without', async (t) => {
  const backend = await startEcho(t)
  const routes = [
    routeTo('/yes', backend, { websocket: true }),
    routeTo('/no', backend, { websocket: false }),
    routeTo('/silent', backend),
  ]
  const { port } = await startDaemon(t, { config: proxyConfig(routes) })
  for (const path of ['/yes', '/no', '/silent']) {
    assert.equal((await fetchWebSocketEcho({ port }, path)).target, '/')
  }
})

test('a backend that knows no WebSocket answers for itself', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeHead(426, { 'X-Own': 'yes' }).end('no WebSocket here')
  })
  const { port } = await startDaemon(t, { config: proxyConfig([routeTo('/ws', backend)]) })
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  client.on('error', () => undefined)
  const answer = await new Promise<IncomingMessage>((resolve) => {
    client.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response)
    })
  })
  assert.equal(answer.statusCode, 426)
  assert.equal(answer.headers['x-own'], 'yes')
})

const good = createCertificate({ names: ['localhost'] })
const other = createCertificate({ names: ['localhost'] })
const expired = createCertificate({ names: ['localhost'], expired: true })

for (const { name, files, place } of [
  { name: 'is missing', files: { 'key.pem': good.keyPem }, place: /cert\.pem/ },
  { name: 'is no certificate', files: { 'cert.pem': 'x', 'key.pem': good.keyPem }, place: /cert\.pem/ },
  { name: 'does not belong to its key', files: { 'cert.pem': other.certPem, 'key.pem': good.keyPem }, place: /key/ },
  { name: 'has expired', files: { 'cert.pem': expired.certPem, 'key.pem': expired.keyPem }, place: /expired/ },
  { name: 'has no key', files: { 'cert.pem': good.certPem }, place: /key\.pem/ },
]) {
  test(`a certificate that ${name} is an error of check and start, with its place`, async (t) => {
    const site = createSite(t, { config: proxyConfig([], {}, tls), files })
    for (const command of ['check', 'start']) {
      const { code, stdout, stderr } = await site.cli(command)
      assert.equal(code, 1, `${command}: ${stdout}${stderr}`)
      assert.match(`${stdout}${stderr}`, /config\.yaml:\d+:\d+/)
      assert.match(`${stdout}${stderr}`, place)
    }
  })
}

test('a backend that refuses the connection is answered 502, and the log names it', async (t) => {
  const port = await findClosedPort()
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/api', { port })]) })
  const reply = await sendRequest({ port: daemon.port }, { path: '/api/a' })
  assert.equal(reply.status, 502)
  assert.equal(readField(reply.headers, 'x-pyserve-reason'), 'connect_failed')
  assert.doesNotMatch(reply.body.toString(), new RegExp(`127\\.0\\.0\\.1|${port}`))
  const line = await waitFor(() => daemon.readLog().match(/^.*"reason":"connect_failed".*$/m)?.[0], {
    what: 'its line',
  })
  assert.ok(line.includes(`127.0.0.1:${port}`), line)
})

test('a path without a route is answered 404 by the proxy, one unknown to the backend 404 by the backend', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => response.writeHead(404).end('backend: not here'))
  const { port } = await startDaemon(t, { config: proxyConfig([routeTo('/api', backend)]) })
  const unrouted = await sendRequest({ port }, { path: '/nowhere' })
  assert.deepEqual([unrouted.status, readField(unrouted.headers, 'x-pyserve-reason')], [404, 'no_route'])
  const unknown = await sendRequest({ port }, { path: '/api/nowhere' })
  assert.deepEqual([unknown.status, unknown.body.toString()], [404, 'backend: not here'])
  assert.equal(readField(unknown.headers, 'x-pyserve-reason'), undefined)
})
