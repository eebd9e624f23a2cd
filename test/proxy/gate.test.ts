import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHeader, headerValues } from '../../src/header-list.ts'
import { type Gate, passGates, type Verdict } from '../../src/proxy/gate.ts'
import { arrive } from './arrival-stage.ts'

const LIMITED: Verdict = { kind: 'refuse', reason: 'rate_limited', fields: ['Retry-After', '3'] }

function scripted(steps: string[], name: string, verdict?: Verdict | Promise<Verdict | undefined>): Gate {
  return {
    enter() {
      steps.push(name)
      return verdict
    },
  }
}

test('gates are passed in their order, and only then comes the action', async () => {
  const steps: string[] = []
  const gates = [scripted(steps, 'a'), scripted(steps, 'b', Promise.resolve(undefined)), scripted(steps, 'c')]
  assert.equal(await passGates(gates, arrive().arrival), true)
  assert.deepEqual(steps, ['a', 'b', 'c'])
})

for (const [name, verdict] of [
  ['at once', LIMITED],
  ['later', Promise.resolve(LIMITED)],
] as const) {
  test(`a gate that refuses ${name} answers, and nothing behind it is asked`, async () => {
    const steps: string[] = []
    const { arrival, responder, records } = arrive()
    arrival.responseFields = ['X-Early', '1']
    const gates = [scripted(steps, 'a', verdict), scripted(steps, 'b')]
    assert.equal(await passGates(gates, arrival), false)
    responder.watcher?.finished()
    const headers = responder.sent.head?.headers ?? []
    assert.equal(responder.sent.head?.status, 429)
    assert.equal(findHeader(headers, 'retry-after'), '3')
    assert.deepEqual(headerValues(headers, 'x-early'), ['1'])
    assert.deepEqual(steps, ['a'])
    assert.deepEqual(
      records.map(({ status, reason }) => [status, reason]),
      [[429, 'rate_limited']],
    )
  })
}

test('a gate may answer by itself', () => {
  const { arrival, responder, records } = arrive()
  const verdict: Verdict = { kind: 'respond', status: 204, headers: ['X-Gate', '1'], body: Buffer.alloc(0) }
  assert.equal(passGates([scripted([], 'a', verdict)], arrival), false)
  responder.watcher?.finished()
  assert.equal(responder.sent.head?.status, 204)
  assert.equal(findHeader(responder.sent.head?.headers ?? [], 'x-gate'), '1')
  assert.equal(records[0]?.reason, undefined)
})

test('a client that goes away while a gate decides is logged, and what the gate decides then is nothing', async () => {
  const steps: string[] = []
  const decision = Promise.withResolvers<undefined>()
  const { arrival, responder, records } = arrive()
  arrival.log.onFinish(() => steps.push('over'))
  const passed = passGates([scripted(steps, 'a', decision.promise), scripted(steps, 'b')], arrival)
  responder.watcher?.gone('client_gone')
  decision.resolve(undefined)
  assert.equal(await passed, false)
  assert.deepEqual(steps, ['a', 'over'])
  assert.deepEqual(
    records.map(({ status, reason }) => [status, reason]),
    [[499, 'client_gone']],
  )
})
