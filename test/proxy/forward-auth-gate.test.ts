import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { ForwardAuthConfig } from '../../src/config/forward-auth-config.ts'
import { findHeader, headerValues } from '../../src/header-list.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { createForwardAuthGate } from '../../src/proxy/forward-auth-gate.ts'
import type { Verdict } from '../../src/proxy/gate.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import { createEngine } from '../../src/upstream/engines.ts'
import { FAULTS, findClosedPort, startFaulty, startHttpBackend } from '../helpers/backends.ts'
import { waitFor } from '../helpers/wait.ts'
import { arrive } from './arrival-stage.ts'

type Settings = Partial<Omit<ForwardAuthConfig, 'backend'>>

/** A gate that asks at this port. */
function gateAt(t: TestContext, port: number, settings: Settings = {}) {
  const engine = createEngine('native')
  t.after(() => engine.close())
  const registry = new BackendRegistry(new WorkerMetrics())
  const backend = { host: '127.0.0.1', port, tls: undefined }
  const config = { backend, path: '/verify?v=1', copyHeaders: [], timeoutMs: 5_000, ...settings }
  const gate = createForwardAuthGate(config, registry, engine)
  const [service] = registry.acquire([backend])
  assert.ok(service !== undefined)
  return { gate, service }
}

/** A gate that asks a service which answers like this. */
async function stage(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  settings: Settings = {},
) {
  const questions: IncomingMessage[] = []
  const { port } = await startHttpBackend(t, (request, response) => {
    questions.push(request)
    answer(request, response)
  })
  return { ...gateAt(t, port, settings), questions }
}

const refused = (verdict: Verdict | undefined) => (verdict?.kind === 'refuse' ? verdict.reason : verdict)

test('an answer of 2xx lets a request pass, with fields that no client can send', async (t) => {
  const answer = (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(204, { 'X-User': 'alice', 'x-group': ['a', 'b'], 'X-Other': 'no' }).end()
  const { gate, service } = await stage(t, answer, { copyHeaders: ['X-User', 'X-Group', 'X-Absent'] })
  const { arrival } = arrive()
  arrival.requestFields = ['x-user', 'basic', 'X-Kept', '1']
  assert.equal(await gate.enter(arrival), undefined)
  assert.deepEqual(arrival.requestFields, ['X-Kept', '1', 'X-User', 'alice', 'X-Group', 'a', 'X-Group', 'b'])
  assert.equal(service.state.inFlight, 0)
})

test('the service is told what is asked, in words that are not the client’s', async (t) => {
  const { gate, questions } = await stage(t, (_, response) => response.end())
  const headers = [
    ...[
      'Authorization',
      'Bearer t',
      'Cookie',
      'a=1',
      'Content-Length',
      '5',
      'Range',
      'bytes=0-1',
      'If-None-Match',
      '"e"',
    ],
    ...['X-Forwarded-Uri', '/forged', 'X_Forwarded_Uri', '/forged', 'X-Original-URL', '/forged'],
    ...['X-Forwarded-Method', 'GET', 'X-Forwarded-For', '6.6.6.6', 'Connection', 'Upgrade, authorization-x'],
    ...['Upgrade', 'websocket', 'Sec-WebSocket-Key', 'x'],
  ]
  const { arrival } = arrive({ method: 'DELETE', target: 'http://h/public/../admin/%41?q=%20', headers })
  assert.equal(await gate.enter(arrival), undefined)
  const [question] = questions
  assert.equal(`${question?.method} ${question?.url}`, 'GET /verify?v=1')
  const told = question?.rawHeaders ?? []
  assert.deepEqual(headerValues(told, 'x-forwarded-uri'), ['/admin/%41?q=%20'])
  assert.deepEqual(headerValues(told, 'x-forwarded-method'), ['DELETE'])
  assert.deepEqual(headerValues(told, 'x-forwarded-for'), ['127.0.0.1'])
  assert.deepEqual(headerValues(told, 'x-forwarded-host'), ['h'])
  assert.deepEqual(headerValues(told, 'authorization'), ['Bearer t'])
  assert.deepEqual(headerValues(told, 'cookie'), ['a=1'])
  for (const name of ['range', 'if-none-match', 'content-length', 'transfer-encoding', 'upgrade', 'x_forwarded_uri']) {
    assert.equal(findHeader(told, name), undefined, name)
  }
  assert.equal(findHeader(told, 'x-original-url'), undefined)
  assert.equal(findHeader(told, 'sec-websocket-key'), undefined)
})

for (const { status, reason } of [
  { status: 302, reason: undefined },
  { status: 401, reason: 'unauthorized' },
  { status: 403, reason: 'forbidden' },
  { status: 500, reason: undefined },
]) {
  test(`an answer of ${status} is the client's`, async (t) => {
    const fields = { Location: '/login', 'Set-Cookie': ['a=1', 'b=2'], 'Keep-Alive': 'timeout=9', 'X-Request-Id': 's' }
    const { gate } = await stage(t, (_, response) => response.writeHead(status, fields).end('come in by the door'))
    const { arrival } = arrive()
    const verdict = await gate.enter(arrival)
    assert.ok(verdict?.kind === 'respond')
    assert.equal(verdict.status, status)
    assert.equal(verdict.body.toString(), 'come in by the door')
    assert.equal(findHeader(verdict.headers, 'location'), '/login')
    assert.deepEqual(headerValues(verdict.headers, 'set-cookie'), ['a=1', 'b=2'])
    assert.deepEqual(headerValues(verdict.headers, 'content-length'), ['19'])
    for (const name of ['keep-alive', 'connection', 'transfer-encoding', 'x-request-id']) {
      assert.equal(findHeader(verdict.headers, name), undefined, name)
    }
    assert.equal(arrival.log.reason, reason)
    assert.deepEqual(arrival.requestFields, [])
  })
}

for (const fault of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
  test(`a service that ${fault} lets nobody in`, async (t) => {
    const { port } = await startFaulty(t, fault)
    const { gate, service } = gateAt(t, port, { timeoutMs: 300 })
    const verdict = await gate.enter(arrive().arrival)
    const expected = /silent|stalls/.test(fault) ? ['response_timeout'] : ['backend_reset', 'bad_response']
    assert.ok(expected.includes(String(refused(verdict))), JSON.stringify(verdict))
    assert.equal(service.state.inFlight, 0)
  })
}

test('a service that is away lets nobody in', async (t) => {
  const { gate } = gateAt(t, await findClosedPort())
  const { arrival } = arrive()
  assert.equal(refused(await gate.enter(arrival)), 'connect_failed')
  assert.match(arrival.log.backend ?? '', /^127\.0\.0\.1:\d+$/)
})

test('an answer that drips is not waited for longer than the whole of it may take', async (t) => {
  const { gate } = await stage(
    t,
    (_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    },
    { timeoutMs: 200 },
  )
  assert.equal(refused(await gate.enter(arrive().arrival)), 'response_timeout')
})

test('an answer without bounds is not kept', async (t) => {
  const { gate } = await stage(t, (_, response) => response.writeHead(403).end(Buffer.alloc(1 << 20)))
  assert.equal(refused(await gate.enter(arrive().arrival)), 'bad_response')
})

test('a client that goes away while the service thinks takes its question back', async (t) => {
  const { gate, service, questions } = await stage(t, () => {})
  const { arrival } = arrive()
  const verdict = gate.enter(arrival)
  await waitFor(() => questions.length === 1, { what: 'the question' })
  const [question] = questions
  assert.ok(question !== undefined)
  const gone = once(question.socket, 'close')
  arrival.log.finish(false)
  assert.equal(refused(await verdict), 'client_gone')
  await gone
  assert.equal(service.state.inFlight, 0)
})
