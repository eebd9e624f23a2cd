import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type EchoBackend, startEcho } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { readField, readFields, type Target } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const certificate = createCertificate({ names: ['localhost'] })
const files = { 'cert.pem': certificate.certPem, 'key.pem': certificate.keyPem }

for (const { scheme, tls } of [
  { scheme: 'http', tls: undefined },
  { scheme: 'https', tls: { ca: certificate.certPem, servername: 'localhost' } },
]) {
  test(`headers of the seed's table over ${scheme}`, async (t) => {
    const { backend, target } = await startProxy(t, tls)
    const host = `Shop.Example:${target.port}`
    const asked = [
      'Host',
      host,
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Forwarded-Proto',
      'gopher',
      'X-Forwarded-Host',
      'evil',
    ]

    await t.test('X-Forwarded-For is the address of the client, whatever it claims', async () => {
      const { headers } = await fetchEcho(target, { path: '/api/a', headers: asked })
      assert.deepEqual(readFields(headers, 'x-forwarded-for'), ['127.0.0.1'])
    })
    await t.test(`X-Forwarded-Proto is ${scheme}`, async () => {
      const { headers } = await fetchEcho(target, { path: '/api/a', headers: asked })
      assert.deepEqual(readFields(headers, 'x-forwarded-proto'), [scheme])
    })
    await t.test('X-Forwarded-Host is the Host that the client sent; Host is the backend’s', async () => {
      const { headers } = await fetchEcho(target, { path: '/api/a', headers: asked })
      assert.deepEqual(readFields(headers, 'x-forwarded-host'), [host])
      assert.deepEqual(readFields(headers, 'host'), [`127.0.0.1:${backend.port}`])
    })
    await t.test('Upgrade reaches the backend with a WebSocket and not otherwise', async () => {
      const upgraded = await fetchWebSocketEcho(target, '/api/a')
      assert.equal(readField(upgraded.headers, 'upgrade')?.toLowerCase(), 'websocket')
      const headers = ['Upgrade', 'h2c', 'Connection', 'Upgrade']
      const plain = await fetchEcho(target, { path: '/api/a', headers })
      assert.equal(readField(plain.headers, 'upgrade'), undefined)
    })
    await t.test('Connection says what the connection to the backend is', async () => {
      const upgraded = await fetchWebSocketEcho(target, '/api/a')
      assert.equal(readField(upgraded.headers, 'connection')?.toLowerCase(), 'upgrade')
      const closing = await fetchEcho(target, { path: '/api/a', headers: ['Connection', 'close, X-Hop', 'X-Hop', '1'] })
      assert.notEqual(readField(closing.headers, 'connection')?.toLowerCase(), 'close, x-hop')
      assert.equal(readField(closing.headers, 'x-hop'), undefined)
    })
    await t.test('a WebSocket carries the same X-Forwarded fields', async () => {
      const { headers } = await fetchWebSocketEcho(target, '/api/a', { Host: host, 'X-Forwarded-For': '6.6.6.6' })
      const seen = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'].map((name) => readFields(headers, name))
      assert.deepEqual(seen, [['127.0.0.1'], [scheme], [host]])
    })
  })
}

async function startProxy(t: TestContext, tls: Target['tls']): Promise<{ backend: EchoBackend; target: Target }> {
  const backend = await startEcho(t)
  const more = tls ? { ssl: { enabled: true, cert_file: './cert.pem', key_file: './key.pem' } } : {}
  const { port } = await startDaemon(t, { config: proxyConfig([routeTo('/api', backend)], {}, more), files })
  return { backend, target: { port, tls } }
}
