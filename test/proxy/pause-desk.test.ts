import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arrival } from '../../src/proxy/arrival.ts'
import type { Gate } from '../../src/proxy/gate.ts'
import { PauseDesk } from '../../src/proxy/pause-desk.ts'
import { arrive } from './arrival-stage.ts'

const PAUSES = [{ route: 'api', leftMs: 5_000 }]

/** What the gate says; undefined while it says nothing. */
async function decisionOf(decision: ReturnType<Gate['enter']>): Promise<unknown> {
  return Promise.race([decision, Promise.resolve('held')])
}

function enter(desk: PauseDesk, arrival: Arrival): ReturnType<Gate['enter']> {
  const gate = desk.gateFor('api')
  assert.ok(gate !== undefined)
  return gate.enter(arrival)
}

test('without a pause there is nothing to pass', () => {
  const desk = new PauseDesk()
  assert.equal(desk.isIdle, true)
  desk.apply(PAUSES)
  assert.equal(desk.isIdle, false)
  assert.equal(desk.gateFor('other'), undefined)
  desk.apply([])
  assert.equal(desk.isIdle, true)
  assert.equal(desk.gateFor('api'), undefined)
})

test('what is held is let go in its order when the pause is taken away', async () => {
  const desk = new PauseDesk()
  desk.apply(PAUSES)
  const order: number[] = []
  const decisions = [1, 2, 3].map((number) =>
    Promise.resolve(enter(desk, arrive().arrival)).then((verdict) => {
      assert.equal(verdict, undefined)
      order.push(number)
    }),
  )
  assert.equal(desk.held, 3)
  desk.apply([])
  await Promise.all(decisions)
  assert.deepEqual(order, [1, 2, 3])
  assert.equal(desk.held, 0)
})

test('the pause is over by itself at its time, and a second one puts it off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const desk = new PauseDesk(() => nowMs)
  const tick = (ms: number) => {
    nowMs += ms
    t.mock.timers.tick(ms)
  }
  desk.apply(PAUSES)
  const decision = enter(desk, arrive().arrival)
  tick(4_000)
  desk.apply(PAUSES)
  tick(4_999)
  assert.equal(await decisionOf(decision), 'held')
  tick(1)
  assert.equal(await decision, undefined)
  assert.equal(desk.isIdle, true)
})

test('what there is no room for is told when to come again', async () => {
  let nowMs = 0
  const desk = new PauseDesk(() => nowMs)
  desk.apply(PAUSES)
  for (let i = 0; i < 1_000; i++) void enter(desk, arrive().arrival)
  nowMs = 1_500
  const verdict = await enter(desk, arrive().arrival)
  assert.deepEqual(verdict, { kind: 'refuse', reason: 'over_capacity', fields: ['Retry-After', '4'] })
  desk.apply([])
})

test('the bytes of heads that are held have a bound too', async () => {
  const desk = new PauseDesk()
  desk.apply(PAUSES)
  const big = ['X-Big', 'x'.repeat(1024 * 1024)]
  for (let i = 0; i < 7; i++) void enter(desk, arrive({ headers: big }).arrival)
  assert.equal(desk.held, 7)
  void enter(desk, arrive({ headers: big }).arrival)
  assert.equal(desk.held, 7)
  desk.apply([])
})

test('a client that goes away makes room', () => {
  const desk = new PauseDesk()
  desk.apply(PAUSES)
  const { arrival } = arrive()
  void enter(desk, arrival)
  arrival.log.finish(false)
  assert.equal(desk.held, 0)
  desk.apply([])
})

test('a worker that leaves sends away what it still holds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const desk = new PauseDesk()
  desk.apply(PAUSES)
  const decision = enter(desk, arrive().arrival)
  desk.leave(2_000)
  t.mock.timers.tick(2_000)
  assert.deepEqual(await decision, { kind: 'refuse', reason: 'draining', fields: ['Retry-After', '1'] })
  desk.apply([])
})
