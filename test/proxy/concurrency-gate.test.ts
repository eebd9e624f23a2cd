import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_HEADERS } from '../../src/header-list.ts'
import { LimitLedger } from '../../src/limits/ledger.ts'
import { LimitClient, SYSTEM_CLOCK } from '../../src/limits/limit-client.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import type { Arrival } from '../../src/proxy/arrival.ts'
import { createConcurrencyGate } from '../../src/proxy/concurrency-gate.ts'
import { ExchangeLog } from '../../src/proxy/exchange-log.ts'
import { recordResponder } from '../helpers/responder.ts'
import { waitFor } from '../helpers/wait.ts'

const HEAD = { method: 'GET', target: '/', authority: 'h', headers: [], httpVersion: '1.1' } as const

function openGate(capacity: number) {
  const ledger = new LimitLedger()
  const client: LimitClient = new LimitClient({
    clock: SYSTEM_CLOCK,
    send: (asks) =>
      queueMicrotask(() => ledger.receive({ send: (replies) => client.receive(replies) }, asks, performance.now())),
  })
  return createConcurrencyGate(client.open('c', { kind: 'concurrency', capacity }, 1))
}

function arrive(): Arrival {
  return {
    head: HEAD,
    identity: {
      address: '',
      trustedPeer: false,
      forwardedFor: '',
      proto: 'http',
      host: 'h',
      port: '80',
      prefix: '',
      requestId: undefined,
    },
    log: new ExchangeLog(HEAD, '', 'id', { write() {} }, new WorkerMetrics()),
    upgrade: undefined,
    responder: recordResponder(),
    body: undefined,
    requestFields: NO_HEADERS,
    responseFields: NO_HEADERS,
  }
}

test('a place is taken until the exchange is over, and then somebody else has it', async () => {
  const gate = openGate(1)
  const [first, second, third] = [arrive(), arrive(), arrive()]
  assert.equal(await gate.enter(first), undefined)
  const refused = await gate.enter(second)
  assert.deepEqual(refused, { kind: 'refuse', reason: 'over_capacity', fields: ['Retry-After', '1'] })
  second.log.finish(false)
  first.log.finish(false)
  first.log.finish(false)
  await waitFor(async () => (await gate.enter(third)) === undefined, { what: 'the place to be free' })
  assert.notEqual(await gate.enter(arrive()), undefined)
})

test('a client that goes away before it has its place leaves it to others', async () => {
  const gate = openGate(1)
  const gone = arrive()
  const verdict = gate.enter(gone)
  gone.log.finish(false)
  await verdict
  await waitFor(async () => (await gate.enter(arrive())) === undefined, { what: 'the place to be free' })
})
