import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitLedger } from '../../src/limits/ledger.ts'
import { LimitClient, SYSTEM_CLOCK } from '../../src/limits/limit-client.ts'
import { createConcurrencyGate } from '../../src/proxy/concurrency-gate.ts'
import { waitFor } from '../helpers/wait.ts'
import { arrive as stage } from './arrival-stage.ts'

const arrive = () => stage().arrival

function openGate(capacity: number) {
  const ledger = new LimitLedger()
  const client: LimitClient = new LimitClient({
    clock: SYSTEM_CLOCK,
    send: (asks) =>
      queueMicrotask(() => ledger.receive({ send: (replies) => client.receive(replies) }, asks, performance.now())),
  })
  return createConcurrencyGate(client.open('c', { kind: 'concurrency', capacity }, 1))
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
