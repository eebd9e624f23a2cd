import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { BackendConfig, Config } from '../../src/config/config.ts'
import type { BodySource, Exchange, RequestHead } from '../../src/exchange.ts'
import { findHeader, headerValues } from '../../src/header-list.ts'
import type { AccessRecord } from '../../src/log/access-log.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { PauseDesk } from '../../src/proxy/pause-desk.ts'
import { Pipeline } from '../../src/proxy/pipeline.ts'
import { TunnelSet } from '../../src/proxy/tunnel-set.ts'
import { compileWorld } from '../../src/proxy/world.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import { createHttpProxy3Engine } from '../../src/upstream/http-proxy-3-engine.ts'
import { builtConfig, proxyTo } from '../helpers/built-config.ts'
import { noLimits } from '../helpers/limits.ts'
import { recordResponder } from '../helpers/responder.ts'
import { ScriptedBody } from '../helpers/scripted-body.ts'
import { waitFor } from '../helpers/wait.ts'

const NO_RULES = { set: [], remove: [] }
const CLIENT = { remoteAddress: '127.0.0.9', remotePort: 5, localPort: 8000, encrypted: false }
async function startBackend(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<BackendConfig> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, tls: undefined }
}

function startPipeline(t: TestContext, config: Config) {
  const records: AccessRecord[] = []
  const engine = createHttpProxy3Engine()
  t.after(() => engine.close())
  const metrics = new WorkerMetrics()
  const pauses = new PauseDesk()
  const registry = new BackendRegistry(metrics)
  const access = { write: (record: AccessRecord) => void records.push(record) }
  const worldParts = { registry, metrics, engine, limits: noLimits(), stickySecret: '' }
  const compile = (next: Config) => compileWorld(next, worldParts)
  const pipeline = new Pipeline({ engine, access, metrics, pauses, tunnels: new TunnelSet() }, compile(config))

  /** Sends an exchange through and waits until its answer ended or was cut. */
  async function send(head: Partial<RequestHead>, body?: BodySource) {
    const responder = recordResponder()
    const exchange: Exchange = {
      head: { method: 'GET', target: '/', authority: 'site', headers: [], httpVersion: '1.1', ...head },
      client: CLIENT,
      body,
      responder,
    }
    pipeline.exchange(exchange)
    await waitFor(() => responder.sent.ended || responder.sent.aborted, { what: 'an answer' })
    if (responder.sent.ended) responder.watcher?.finished()
    return responder.sent
  }
  return { pipeline, records, registry, metrics, pauses, compile, send }
}

test('a request goes to its backend without the prefix and comes back whole', async (t) => {
  const seen: string[] = []
  const backend = await startBackend(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.end('hello')
  })
  const { send, records } = startPipeline(t, builtConfig([{ action: proxyTo(backend) }]))
  const sent = await send({ target: '/api/users?a=%20&a=&b' })
  assert.deepEqual(seen, ['GET /users?a=%20&a=&b'])
  assert.equal(sent.head?.status, 200)
  assert.equal(sent.body.toString(), 'hello')
  const headers = sent.head?.headers ?? []
  assert.deepEqual(headerValues(headers, 'set-cookie'), ['a=1', 'b=2'])
  const [record] = records
  assert.equal(record?.route, '/api')
  assert.equal(record?.backend, `127.0.0.1:${backend.port}`)
  assert.equal(record?.bytesOut, 5)
  assert.equal(record?.client, '127.0.0.9')
  assert.equal(record?.target, '/api/users?a=%20&a=&b')
})

test('the backend learns who asked, and nothing that the client claims', async (t) => {
  const backend = await startBackend(t, (request, response) => response.end(JSON.stringify(request.headers)))
  const { send } = startPipeline(t, builtConfig([{ action: proxyTo(backend) }]))
  const sent = await send({
    target: '/api/x',
    headers: [
      'Host',
      'site',
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Forwarded-Proto',
      'https',
      'Connection',
      'x-a',
      'X-A',
      '1',
    ],
  })
  const received = JSON.parse(sent.body.toString())
  assert.equal(received['x-forwarded-for'], '127.0.0.9')
  assert.equal(received['x-forwarded-proto'], 'http')
  assert.equal(received['x-forwarded-host'], 'site')
  assert.equal(received['x-forwarded-prefix'], '/api')
  assert.equal(received['x-a'], undefined)
  assert.equal(received.host, `127.0.0.1:${backend.port}`)
})

for (const { name, head, status, reason } of [
  { name: 'a path without a route', head: { target: '/nowhere' }, status: 404, reason: 'no_route' },
  { name: 'a word that only begins like a route', head: { target: '/apifoo' }, status: 404, reason: 'no_route' },
  { name: 'a path that climbs out', head: { target: '/api/../../etc' }, status: 400, reason: 'bad_request' },
]) {
  test(`${name} is answered ${status} with its reason, and logged once`, async (t) => {
    const { send, records, metrics } = startPipeline(t, builtConfig([{}]))
    const sent = await send(head)
    assert.equal(sent.head?.status, status)
    assert.equal(findHeader(sent.head?.headers ?? [], 'x-pyserve-reason'), reason)
    assert.deepEqual(
      records.map((record) => [record.status, record.reason]),
      [[status, reason]],
    )
    assert.equal(metrics.inFlight, 0)
  })
}

test('redirect_instructions take an exact path before any route, with the query', async (t) => {
  const { send } = startPipeline(t, builtConfig([{ path: '/' }]))
  const sent = await send({ target: '/home?x=1' })
  assert.equal(sent.head?.status, 302)
  assert.equal(findHeader(sent.head?.headers ?? [], 'location'), '/index.html?x=1')
})

test('a route answers by itself', async (t) => {
  const { send } = startPipeline(t, builtConfig([{}]))
  const sent = await send({ target: '/api' })
  assert.equal(sent.body.toString(), 'ok')
  assert.equal(findHeader(sent.head?.headers ?? [], 'content-type'), 'text/plain')
})

test("a route's own Content-Type stands alone, and a redirect carries the route's fields", async (t) => {
  const response = {
    set: [
      ['Content-Type', 'text/html'],
      ['X-A', '1'],
    ] as const,
    remove: [],
  }
  const redirect = { kind: 'redirect', status: 308, to: '/new' } as const
  const { send } = startPipeline(
    t,
    builtConfig([
      { headers: { request: NO_RULES, response } },
      { name: 'old', path: '/old', action: redirect, headers: { request: NO_RULES, response } },
    ]),
  )
  const page = (await send({ target: '/api' })).head?.headers ?? []
  assert.deepEqual(headerValues(page, 'content-type'), ['text/html'])
  const moved = (await send({ target: '/old?x' })).head
  assert.equal(moved?.status, 308)
  assert.equal(findHeader(moved?.headers ?? [], 'location'), '/new?x')
  assert.equal(findHeader(moved?.headers ?? [], 'x-a'), '1')
})

test('a backend that refuses is connect_failed, without its address in the page', async (t) => {
  const backend = { host: '127.0.0.1', port: 1, tls: undefined }
  const { send, records, registry } = startPipeline(t, builtConfig([{ action: proxyTo(backend) }]))
  const sent = await send({ target: '/api', headers: ['Accept', 'text/html'] })
  assert.equal(sent.head?.status, 502)
  assert.equal(sent.body.toString().includes('127.0.0.1'), false)
  assert.equal(records[0]?.reason, 'connect_failed')
  assert.equal(registry.acquire([backend])[0]?.state.inFlight, 0)
})

test('an announced body past the limit is answered 413 and the backend never hears of it', async (t) => {
  let asked = 0
  const backend = await startBackend(t, (_, response) => {
    asked++
    response.end()
  })
  const { send } = startPipeline(t, builtConfig([{ action: proxyTo(backend) }], { bodyBytes: 10 }))
  const sent = await send({ method: 'POST', target: '/api' }, ScriptedBody.of(['x'.repeat(11)], 11))
  assert.equal(sent.head?.status, 413)
  assert.equal(asked, 0)
})

test('a chunked body past the limit is answered 413 while it is sent', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    request.resume().on('end', () => response.end())
  })
  const { send, records } = startPipeline(t, builtConfig([{ action: proxyTo(backend) }], { bodyBytes: 10 }))
  const sent = await send({ method: 'POST', target: '/api' }, ScriptedBody.of(['123456', '789012']))
  assert.equal(sent.head?.status, 413)
  assert.equal(records[0]?.reason, 'body_too_large')
})

for (const [name, bodyBytes, serverBytes, status] of [
  ['less', 10, 100, 413],
  ['more', 100, 10, 200],
  ['without a limit', 0, 10, 200],
] as const) {
  test(`a route's own body limit stands in place of the server's: ${name}`, async (t) => {
    const backend = await startBackend(t, (request, response) => {
      request.resume().on('end', () => response.end())
    })
    const route = { action: proxyTo(backend), bodyBytes }
    const { send } = startPipeline(t, builtConfig([route], { bodyBytes: serverBytes }))
    const sent = await send({ method: 'POST', target: '/api' }, ScriptedBody.of(['x'.repeat(50)]))
    assert.equal(sent.head?.status, status)
  })
}

test('a request under way keeps the routes that it began with', async (t) => {
  const { promise: asked, resolve: sayAsked } = Promise.withResolvers<ServerResponse>()
  const backend = await startBackend(t, (_, response) => sayAsked(response))
  const { send, pipeline, compile } = startPipeline(
    t,
    builtConfig([
      { action: proxyTo(backend), headers: { request: NO_RULES, response: { set: [['X-World', '1']], remove: [] } } },
    ]),
  )
  const answer = send({ target: '/api' })
  const response = await asked
  pipeline.use(compile(builtConfig([])))
  response.end('done')
  assert.equal(findHeader((await answer).head?.headers ?? [], 'x-world'), '1')
  assert.equal((await send({ target: '/api' })).head?.status, 404)
})

test('a plain request is sent on behind TLS with 308, and logged', (t) => {
  const { pipeline, records } = startPipeline(t, builtConfig([{}]))
  const responder = recordResponder()
  const head = { method: 'POST', target: '/x?y', authority: 'site:80', headers: [], httpVersion: '1.1' } as const
  pipeline.redirectToTls({ head, client: CLIENT, body: undefined, responder }, 443)
  responder.watcher?.finished()
  assert.equal(responder.sent.head?.status, 308)
  assert.equal(findHeader(responder.sent.head?.headers ?? [], 'location'), 'https://site/x?y')
  assert.equal(records.length, 1)
})

test('what a listener refused has its own line in the log', (t) => {
  const { pipeline, records } = startPipeline(t, builtConfig([]))
  pipeline.refused({ client: CLIENT, reason: 'bad_request', status: 400, method: undefined, target: undefined })
  assert.equal(records.length, 1)
  assert.equal(records[0]?.status, 400)
  assert.equal(records[0]?.reason, 'bad_request')
})
