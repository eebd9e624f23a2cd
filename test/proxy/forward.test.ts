import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BodySink, BodySource } from '../../src/exchange.ts'
import { findHeader } from '../../src/header-list.ts'
import { MeteredBody } from '../../src/proxy/metered-body.ts'
import { stage } from './forward-stage.ts'

const OK = { status: 200, statusText: 'OK', headers: [] }

test('a response passes and leaves one record', () => {
  const { forward, responder, records, metrics } = stage()
  forward.connected(3)
  forward.head(OK)
  forward.data(Buffer.from('ab'))
  forward.end(['X-T', '1'])
  assert.equal(records.length, 0)
  responder.watcher?.finished()
  assert.equal(responder.sent.body.toString(), 'ab')
  assert.deepEqual(responder.sent.trailers, ['X-T', '1'])
  assert.equal(records.length, 1)
  assert.equal(records[0]?.status, 200)
  assert.equal(records[0]?.bytesOut, 2)
  assert.equal(records[0]?.connectMs, 3)
  assert.equal(records[0]?.reason, undefined)
  assert.equal(metrics.inFlight, 0)
})

test('a failure before the head becomes an error page with its reason', () => {
  const { forward, responder, records } = stage()
  forward.fail({ reason: 'connect_failed', cause: new Error('refused'), requestSent: false })
  responder.watcher?.finished()
  assert.equal(responder.sent.head?.status, 502)
  assert.equal(findHeader(responder.sent.head?.headers ?? [], 'x-pyserve-reason'), 'connect_failed')
  assert.equal(records[0]?.reason, 'connect_failed')
  assert.equal(records[0]?.status, 502)
})

test('a failure after the head cuts the connection and never ends the response', () => {
  const { forward, responder, records } = stage()
  forward.head(OK)
  forward.data(Buffer.from('half'))
  forward.fail({ reason: 'backend_reset', cause: new Error('reset'), requestSent: true })
  assert.equal(responder.sent.aborted, true)
  assert.equal(responder.sent.ended, false)
  assert.equal(records[0]?.reason, 'backend_reset')
  assert.equal(records[0]?.status, 200)
})

test('a client that goes away ends the attempt and is logged as 499', () => {
  const { responder, records, calls } = stage()
  responder.watcher?.gone('client_gone')
  assert.deepEqual(calls, ['abort'])
  assert.equal(records[0]?.status, 499)
  assert.equal(records[0]?.reason, 'client_gone')
})

test('whatever else happens after the end, the record and the settlement stay single', () => {
  const { forward, responder, records, metrics, backend } = stage()
  assert.equal(backend.state.inFlight, 1)
  forward.head(OK)
  forward.end([])
  responder.watcher?.finished()
  responder.watcher?.gone('client_gone')
  forward.fail({ reason: 'backend_reset', cause: new Error('late'), requestSent: true })
  assert.equal(records.length, 1)
  assert.equal(backend.state.inFlight, 0)
  assert.equal(metrics.inFlight, 0)
})

test('an interim response crosses without the fields of its hop', () => {
  const { forward, responder } = stage()
  forward.inform(103, ['Link', '</a.css>', 'Connection', 'x-hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'])
  assert.deepEqual(responder.sent.informed, [{ status: 103, headers: ['Link', '</a.css>'] }])
})

test('a full client holds the backend until it drained', () => {
  const { forward, responder, calls } = stage()
  responder.accepts = false
  forward.head(OK)
  assert.equal(forward.data(Buffer.from('x')), false)
  responder.watcher?.drained()
  assert.deepEqual(calls, ['resume'])
})

test('the whole time of an exchange is bounded where the route says so', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { responder, calls } = stage({ totalMs: 100 })
  t.mock.timers.tick(99)
  assert.deepEqual(calls, [])
  t.mock.timers.tick(1)
  assert.deepEqual(calls, ['abort'])
  assert.equal(responder.sent.head?.status, 504)
})

test('an engine that fails before it returns its attempt leaves nothing running', () => {
  const { calls, responder } = stage({
    atOnce: ({ sink }) => sink.fail({ reason: 'connect_failed', cause: new Error('at once'), requestSent: false }),
  })
  assert.deepEqual(calls, ['abort'])
  assert.equal(responder.sent.head?.status, 502)
})

for (const { name, reason, status } of [
  { name: 'a body past the limit is answered 413', reason: 'body_too_large', status: 413 },
  { name: 'a client that stalls in its body is answered 408', reason: 'idle_timeout', status: 408 },
] as const) {
  test(name, () => {
    const { forward, responder, calls } = stage()
    forward.bodyFailed(reason)
    assert.deepEqual(calls, ['abort'])
    assert.equal(responder.sent.head?.status, status)
    assert.equal(findHeader(responder.sent.head?.headers ?? [], 'x-pyserve-reason'), reason)
  })
}

test('a body is counted and cut at its limit, and the sink learns that it failed', () => {
  let client: BodySink | undefined
  const source: BodySource = {
    lengthBytes: undefined,
    start: (sink) => {
      client = sink
    },
    pause: () => undefined,
    resume: () => undefined,
  }
  const seen: string[] = []
  const body = new MeteredBody(source, 4, {
    bodyBytes: (count) => seen.push(`bytes ${count}`),
    bodyFailed: (reason) => seen.push(`failed ${reason}`),
  })
  body.start({
    data: (chunk) => seen.push(`data ${chunk}`),
    end: () => seen.push('end'),
    fail: (reason) => seen.push(`sink ${reason}`),
  })
  client?.data(Buffer.from('abcd'))
  client?.data(Buffer.from('e'))
  client?.data(Buffer.from('f'))
  client?.end([])
  assert.deepEqual(seen, ['bytes 4', 'data abcd', 'failed body_too_large', 'sink body_too_large'])
})

test('the time to first byte is measured where the choice depends on it, and only there', () => {
  const timed = stage({ backends: 2, upstream: { balancing: { kind: 'least_time' } } })
  timed.forward.head(OK)
  assert.ok(timed.backend.state.firstByteMs > 0)
  const other = stage({ backends: 2 })
  other.forward.head(OK)
  assert.equal(other.backend.state.firstByteMs, 0)
})

test('an attempt without an answer counts as a slow one', () => {
  const { forward, backend } = stage({ backends: 2, upstream: { balancing: { kind: 'least_time' } } })
  forward.fail({ reason: 'connect_failed', cause: new Error('refused'), requestSent: false })
  assert.ok(backend.state.firstByteMs >= 1_000)
})

test('a sticky upstream gives its cookie with the response', () => {
  const { forward, responder } = stage({
    backends: 2,
    upstream: { sticky: { cookie: 'lb', secret: 'x'.repeat(16) } },
  })
  forward.head(OK)
  assert.match(findHeader(responder.sent.head?.headers ?? [], 'set-cookie') ?? '', /^lb=[\w-]{22}; Path=/)
})
