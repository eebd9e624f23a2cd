import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BodySink } from '../../src/exchange.ts'
import { ReplayBody } from '../../src/proxy/replay-body.ts'
import { RetryBudget } from '../../src/proxy/retry-budget.ts'
import type { UpstreamFailure, UpstreamReason } from '../../src/upstream/engine.ts'
import { ScriptedBody } from '../helpers/scripted-body.ts'
import { type StageOptions, stage } from './forward-stage.ts'

const OK = { status: 200, statusText: 'OK', headers: [] }
const BUSY = { status: 503, statusText: 'Busy', headers: ['X-From', 'backend'] }
const RETRIES = {
  attempts: 2,
  on: { connect: true, reset: true, timeout: false, statuses: [503] },
  methods: ['GET', 'PUT'],
  budget: 1,
  bufferBytes: 8,
} as const

function failure(reason: UpstreamReason, requestSent: boolean): UpstreamFailure {
  return { reason, cause: new Error(reason), requestSent }
}

function retrying(options: StageOptions = {}) {
  return stage({ backends: 3, retries: RETRIES, ...options })
}

for (const { name, method, reason, sent, isRetried } of [
  { name: 'a backend that cannot be reached', method: 'GET', reason: 'connect_failed', sent: false, isRetried: true },
  { name: 'the same for a POST', method: 'POST', reason: 'connect_failed', sent: false, isRetried: true },
  {
    name: 'a connection that is not made in time',
    method: 'POST',
    reason: 'connect_timeout',
    sent: false,
    isRetried: true,
  },
  { name: 'a reset of a GET', method: 'GET', reason: 'backend_reset', sent: true, isRetried: true },
  {
    name: 'a reset of a POST of which nothing left',
    method: 'POST',
    reason: 'backend_reset',
    sent: false,
    isRetried: true,
  },
  { name: 'a reset of a POST', method: 'POST', reason: 'backend_reset', sent: true, isRetried: false },
  { name: 'a timeout that is not listed', method: 'GET', reason: 'response_timeout', sent: true, isRetried: false },
  { name: 'a malformed response', method: 'GET', reason: 'bad_response', sent: true, isRetried: false },
] as const) {
  test(`${name} is ${isRetried ? '' : 'not '}tried with another backend`, () => {
    const { attempts, responder, records, backends } = retrying({ method })
    attempts[0]?.sink.fail(failure(reason, sent))
    assert.equal(attempts.length, isRetried ? 2 : 1)
    if (isRetried) {
      assert.notEqual(attempts[1]?.backend, attempts[0]?.backend)
      attempts[1]?.sink.head(OK)
      attempts[1]?.sink.end([])
    }
    responder.watcher?.finished()
    assert.equal(records[0]?.reason, isRetried ? undefined : reason)
    assert.equal(records[0]?.attempts, isRetried ? 2 : 1)
    assert.deepEqual(
      backends.map(({ state }) => state.inFlight),
      [0, 0, 0],
    )
  })
}

test('a listed status is tried again, and what the first backend said is not seen', () => {
  const { attempts, responder, calls } = retrying()
  attempts[0]?.sink.head(BUSY)
  assert.deepEqual(calls, ['abort'])
  assert.equal(responder.headSent, false)
  attempts[1]?.sink.head(OK)
  assert.equal(responder.sent.head?.status, 200)
})

test('where no try is left the last answer is the answer', () => {
  const { attempts, responder } = retrying()
  attempts[0]?.sink.head(BUSY)
  attempts[1]?.sink.head(BUSY)
  assert.equal(attempts.length, 2)
  assert.equal(responder.sent.head?.status, 503)
  assert.ok(responder.sent.head?.headers.includes('X-From'))
})

test('where no other backend is left the answer stands', () => {
  const { attempts, responder } = retrying({ backends: 1 })
  attempts[0]?.sink.head(BUSY)
  assert.equal(attempts.length, 1)
  assert.equal(responder.sent.head?.status, 503)
})

test('nothing is tried again once the client has seen a head', () => {
  const { attempts, responder } = retrying()
  attempts[0]?.sink.head(OK)
  attempts[0]?.sink.fail(failure('backend_reset', true))
  assert.equal(attempts.length, 1)
  assert.equal(responder.sent.aborted, true)
})

test('an engine that fails at once is asked for the next backend all the same', () => {
  const { attempts, responder, calls } = retrying({
    atOnce: ({ backend, sink }) => backend.name.endsWith(':1') && sink.fail(failure('connect_failed', false)),
  })
  assert.deepEqual(
    attempts.map(({ backend }) => backend.name),
    ['127.0.0.1:1', '127.0.0.1:2'],
  )
  assert.deepEqual(calls, ['abort'])
  attempts[1]?.sink.head(OK)
  assert.equal(responder.sent.head?.status, 200)
})

for (const [name, text, isRetried] of [
  ['a body that is short enough is sent again', '12345678', true],
  ['a longer one is not', '123456789', false],
] as const) {
  test(name, () => {
    const body = new ScriptedBody()
    const { attempts, responder } = retrying({ method: 'PUT', body })
    const first: Buffer[] = []
    attempts[0]?.request.body?.start(collect(first))
    body.give(text)
    attempts[0]?.sink.fail(failure('backend_reset', true))
    assert.equal(attempts.length, isRetried ? 2 : 1)
    if (!isRetried) {
      assert.equal(responder.sent.head?.status, 502)
      return
    }
    const second: Buffer[] = []
    attempts[1]?.request.body?.start(collect(second))
    body.end()
    assert.equal(Buffer.concat(first).toString(), text)
    assert.equal(Buffer.concat(second).toString(), `${text}.`)
  })
}

test('what comes between two attempts is not lost', () => {
  const source = new ScriptedBody()
  const body = new ReplayBody(source, 4)
  body.start(collect([]))
  source.give('ab')
  body.detach()
  source.give('cdef')
  const second: Buffer[] = []
  body.start(collect(second))
  source.give('g')
  source.end()
  assert.equal(Buffer.concat(second).toString(), 'abcdefg.')
  assert.equal(body.canRestart, false)
})

test('a client that leaves between two attempts ends the exchange, and nothing is sent any more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(Math, 'random', () => 1)
  const { attempts, responder, records } = retrying({ retries: { ...RETRIES, backoffMs: 25 } })
  attempts[0]?.sink.fail(failure('connect_failed', false))
  assert.equal(attempts.length, 1)
  responder.watcher?.gone('client_gone')
  t.mock.timers.tick(100)
  assert.equal(attempts.length, 1)
  assert.equal(records[0]?.reason, 'client_gone')
})

test('a retry waits for its time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(Math, 'random', () => 1)
  const { attempts } = retrying({ retries: { ...RETRIES, backoffMs: 25 } })
  attempts[0]?.sink.fail(failure('connect_failed', false))
  t.mock.timers.tick(24)
  assert.equal(attempts.length, 1)
  t.mock.timers.tick(1)
  assert.equal(attempts.length, 2)
})

test('retries are at most their share of the requests, and the few that may be under way', () => {
  const budget = new RetryBudget(0.2, 1)
  let taken = 0
  for (let i = 0; i < 1_000; i++) {
    budget.noteRequest()
    if (budget.take()) taken++
  }
  assert.ok(taken >= 200 && taken <= 203, `${taken} retries of 1,000 requests`)
  for (let i = 0; i < taken; i++) budget.release()
  assert.deepEqual([budget.take(), budget.take(), budget.take(), budget.take()], [true, true, true, false])
})

test('the few are shared by the workers, and a budget of nothing has none', () => {
  const shared = new RetryBudget(0.2, 3)
  assert.deepEqual([shared.take(), shared.take()], [true, false])
  assert.equal(new RetryBudget(0, 1).take(), false)
})

/** The end shows as a full stop. */
function collect(chunks: Buffer[]): BodySink {
  return {
    data: (chunk) => chunks.push(chunk),
    end: () => chunks.push(Buffer.from('.')),
    fail: (reason) => assert.fail(reason),
  }
}
