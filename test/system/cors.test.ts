import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { hashPassword } from '../../src/password.ts'
import { findClosedPort, startEcho } from '../helpers/backends.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { type Reply, readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const APP = 'https://app.example.com'

test('a page of another origin may read what it is allowed to, errors included', async (t) => {
  const backend = await startEcho(t, {
    answer(request, response) {
      response.setHeader('Access-Control-Allow-Origin', '*')
      response.setHeader('X-Method', request.method ?? '')
      if (request.url !== '/boom') return false
      response.writeHead(500).end()
      return true
    },
  })
  const cors = { origins: [APP], credentials: true, max_age: '1h' }
  const users = { alice: await hashPassword('wonderland') }
  const daemon = await startDaemon(t, {
    config: proxyConfig([
      routeTo('/', backend, { cors }),
      routeTo('/get', backend, { cors, methods: ['GET'] }),
      routeTo('/plain', backend),
      { path: '/down', host: '127.0.0.1', port: await findClosedPort(), cors },
      { path: '/auth', auth: { basic: { users } }, cors, respond: { body: 'x' } },
      { path: '/limited', rate_limit: { requests: 1, per: '1h' }, cors, respond: { body: 'x' } },
      { path: '/denied', deny: ['127.0.0.1'], cors, respond: { body: 'x' } },
      { path: '/packed', compression: { min_bytes: 1 }, cors, respond: { body: 'xxxxxxxxxxxxxxxxxxxxxxxx' } },
    ]),
  })
  const ask = (path: string, method = 'GET', ...headers: string[]) =>
    sendRequest({ port: daemon.port }, { method, path, headers: ['Origin', APP, ...headers] })
  const preflight = (path: string, method: string) => ask(path, 'OPTIONS', 'Access-Control-Request-Method', method)
  const origins = ({ headers }: Reply) =>
    headers.filter((_, i) => headers[i - 1]?.toLowerCase() === 'access-control-allow-origin')

  for (const { path, status } of [
    { path: '/x', status: 200 },
    { path: '/boom', status: 500 },
    { path: '/down', status: 502 },
    { path: '/auth', status: 401 },
    { path: '/limited', status: 200 },
    { path: '/limited', status: 429 },
    { path: '/denied', status: 403 },
    { path: '/packed', status: 200 },
  ]) {
    const reply = await ask(path, 'GET', 'Accept-Encoding', 'gzip')
    assert.equal(reply.status, status, path)
    assert.deepEqual(origins(reply), [APP], path)
    assert.equal(readField(reply.headers, 'access-control-allow-credentials'), 'true')
    if (path === '/packed') assert.equal(readField(reply.headers, 'content-encoding'), 'gzip')
  }
  assert.deepEqual(origins(await ask('/plain')), ['*'])

  for (const path of ['/x', '/auth', '/limited', '/limited']) {
    const allowed = await preflight(path, 'PUT')
    assert.equal(allowed.status, 204, path)
    assert.deepEqual(origins(allowed), [APP])
    assert.equal(readField(allowed.headers, 'access-control-allow-methods'), 'GET, HEAD, POST, PUT, PATCH, DELETE')
    assert.equal(readField(allowed.headers, 'access-control-max-age'), '3600')
    assert.equal(readField(allowed.headers, 'x-method'), undefined)
  }
  assert.equal((await preflight('/denied', 'GET')).status, 403)
  // The route takes no OPTIONS; the other one takes the PUT, and answers for it.
  assert.equal(readField((await preflight('/get', 'GET')).headers, 'access-control-allow-methods'), 'GET')
  assert.match(readField((await preflight('/get', 'PUT')).headers, 'access-control-allow-methods') ?? '', /PUT/)
  assert.equal(readField((await preflight('/plain', 'GET')).headers, 'x-method'), 'OPTIONS')
  assert.equal(readField((await ask('/x', 'OPTIONS')).headers, 'x-method'), 'OPTIONS')

  const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}/chat`, { origin: 'https://evil.example' })
  await once(socket, 'open')
  socket.terminate()
})
