import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { type AdminAnswers, createAdminServer } from '../../src/primary/admin-server.ts'

const ANSWERS: AdminAnswers = {
  metrics: () => 'a 1\n',
  status: () => ({ pid: 'é' }),
  isStopping: false,
  unready: undefined,
}

async function start(t: TestContext, answers: Partial<AdminAnswers> = {}): Promise<string> {
  const server = createAdminServer({ ...ANSWERS, ...answers }, pino({ level: 'silent' })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const { name, path, method = 'GET', answers, status, body, type } of [
  { name: 'metrics have the type that Prometheus asks for', path: '/metrics', status: 200, body: 'a 1\n' },
  { name: 'a query changes nothing', path: '/metrics?x=/healthz', status: 200, body: 'a 1\n' },
  {
    name: 'the status is JSON',
    path: '/status',
    status: 200,
    body: '{"running":true,"pid":"é"}\n',
    type: /^application\/json/,
  },
  { name: 'who lives is healthy', path: '/healthz', status: 200, body: 'ok\n' },
  {
    name: 'who stops is not healthy',
    path: '/healthz',
    answers: { isStopping: true },
    status: 503,
    body: 'stopping\n',
  },
  { name: 'who has workers is ready', path: '/readyz', status: 200, body: 'ready\n' },
  {
    name: 'who is not ready says why',
    path: '/readyz',
    answers: { unready: 'no worker is ready' },
    status: 503,
    body: 'no worker is ready\n',
  },
  { name: 'HEAD is answered without a body', path: '/status', method: 'HEAD', status: 200, body: '', type: /json/ },
  { name: 'another path is not found', path: '/constructor', status: 404, body: /^not found: \/metrics, / },
  { name: 'nothing can be sent', path: '/metrics', method: 'POST', status: 405, body: 'only GET and HEAD\n' },
  {
    name: 'a fault while the answer is made ends nothing',
    path: '/metrics',
    answers: {
      metrics: () => {
        throw new TypeError('not a function')
      },
    },
    status: 500,
    body: 'failed, see the log\n',
  },
] as const) {
  test(name, async (t) => {
    const base = await start(t, answers)
    const response = await fetch(`${base}${path}`, { method })
    const received = await response.text()
    assert.equal(response.status, status)
    if (typeof body === 'string') assert.equal(received, body)
    else assert.match(received, body)
    assert.match(response.headers.get('content-type') ?? '', type ?? /^text\/plain;/)
    assert.equal(response.headers.get('allow'), status === 405 ? 'GET, HEAD' : null)
    assert.equal(response.headers.get('cache-control'), 'no-store')
  })
}

test('the metrics say which version of the text format they are', async (t) => {
  const response = await fetch(`${await start(t)}/metrics`)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  await response.text()
})

test('a head that is too long is refused', async (t) => {
  const { port } = new URL(await start(t))
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`GET /metrics HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`)
  assert.match(await text(socket), /^HTTP\/1\.1 431 /)
})

test('who says nothing is not waited for', { timeout: 30_000 }, async (t) => {
  const { port } = new URL(await start(t))
  const socket = connect(Number(port), '127.0.0.1')
  socket.write('GET /metrics HTTP/1.1\r\n')
  assert.match(await text(socket), /^HTTP\/1\.1 408 /)
})
