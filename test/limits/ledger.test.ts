import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyAsk, LimitNote, LimitReply } from '../../src/ipc/limit-messages.ts'
import { LimitLedger } from '../../src/limits/ledger.ts'
import type { Holder } from '../../src/limits/reply-box.ts'

const RULE = { kind: 'rate', requests: 10, perMs: 1_000, burst: 8 } as const

function createHolder(): Holder & { readonly heard: LimitReply[]; takeGrants(): unknown[]; takeRecalls(): string[] } {
  const heard: LimitReply[] = []
  return {
    heard,
    send: (replies) => heard.push(...replies),
    takeGrants: () => heard.splice(0).flatMap(({ grants }) => grants.map(([key, given, extra]) => [key, given, extra])),
    takeRecalls: () => heard.splice(0).flatMap(({ recalls }) => recalls),
  }
}

const ask = (asks: readonly KeyAsk[], notes: readonly LimitNote[] = [], rule = RULE) => [
  { limit: 'a', rule, notes, asks },
]

test('what is needed is given, and of what is wanted a part is lent', () => {
  const ledger = new LimitLedger()
  const one = createHolder()
  ledger.receive(one, ask([['k', 2, 9]]), 0)
  assert.deepEqual(one.takeGrants(), [['k', 2, 1]])
})

test('a refusal tells when the next may pass, and when all may', () => {
  const ledger = new LimitLedger()
  const one = createHolder()
  ledger.receive(one, ask([['k', 9, 0]]), 0)
  assert.deepEqual(one.heard, [{ limit: 'a', grants: [['k', 8, 0, 0, 100, 800]], recalls: [] }])
})

test('what others hold is recalled before anybody is refused', () => {
  const ledger = new LimitLedger()
  const [one, two] = [createHolder(), createHolder()]
  ledger.receive(one, ask([['k', 0, 9]]), 0)
  assert.deepEqual(one.takeGrants(), [['k', 0, 2]])
  ledger.receive(two, ask([['k', 8, 0]]), 0)
  assert.deepEqual(two.takeGrants(), [])
  assert.deepEqual(one.takeRecalls(), ['k'])
  ledger.receive(one, ask([], [['k', 1, 1, true, 0]]), 1)
  assert.deepEqual(two.takeGrants(), [['k', 7, 0]])
})

test('nobody waits for long for what another holds', () => {
  const ledger = new LimitLedger()
  const [one, two] = [createHolder(), createHolder()]
  ledger.receive(one, ask([['k', 0, 9]]), 0)
  ledger.receive(two, ask([['k', 8, 0]]), 0)
  ledger.tick(49)
  assert.equal(ledger.isWaiting, true)
  assert.deepEqual(two.takeGrants(), [])
  ledger.tick(50)
  assert.equal(ledger.isWaiting, false)
  assert.deepEqual(two.takeGrants(), [['k', 6, 0]])
})

test('a holder that is gone is not waited for', () => {
  const ledger = new LimitLedger()
  const [one, two] = [createHolder(), createHolder()]
  ledger.receive(one, ask([['k', 0, 9]]), 0)
  ledger.receive(two, ask([['k', 8, 0]]), 0)
  ledger.forget(one, 1)
  assert.deepEqual(two.takeGrants(), [['k', 6, 0]])
})

test('limits are each their own, and so are their keys', () => {
  const ledger = new LimitLedger()
  const one = createHolder()
  ledger.receive(one, ask([['k', 8, 0]]), 0)
  ledger.receive(one, [{ limit: 'b', rule: RULE, notes: [], asks: [['k', 8, 0]] }], 0)
  ledger.receive(one, ask([['l', 8, 0]]), 0)
  assert.deepEqual(one.takeGrants(), [
    ['k', 8, 0],
    ['k', 8, 0],
    ['l', 8, 0],
  ])
})

test('another number of places counts those that are taken', () => {
  const ledger = new LimitLedger()
  const one = createHolder()
  const places = (capacity: number, need: number) => [
    { limit: 'c', rule: { kind: 'concurrency', capacity } as const, notes: [], asks: [['', need, 0] as const] },
  ]
  ledger.receive(one, places(4, 4), 0)
  ledger.receive(one, places(6, 4), 0)
  ledger.receive(one, places(2, 1), 100)
  assert.deepEqual(one.takeGrants(), [
    ['', 4, 0],
    ['', 2, 0],
    ['', 0, 0],
  ])
})

test('a key that is full again is forgotten, and a limit without keys', () => {
  const ledger = new LimitLedger()
  const one = createHolder()
  ledger.receive(one, ask([['k', 1, 0]]), 0)
  ledger.receive(one, ask([['l', 3, 0]]), 100)
  ledger.tick(99)
  assert.equal(ledger.size, 2)
  ledger.tick(100)
  assert.equal(ledger.size, 1)
  ledger.tick(400)
  assert.equal(ledger.isEmpty, true)
})

test('a million keys take the room of a few, and those that are full go first', () => {
  const ledger = new LimitLedger(1_000)
  const one = createHolder()
  ledger.receive(one, ask([['spent', 8, 0]]), 0)
  for (let i = 0; i < 1_000_000; i += 100) {
    const nowMs = i / 10
    const keys = Array.from({ length: 100 }, (_, k): KeyAsk => [`k${i + k}`, 1, 0])
    ledger.receive(one, ask(keys), nowMs)
    ledger.receive(one, ask([['spent', 1, 0]]), nowMs)
    one.heard.length = 0
    assert.ok(ledger.size <= 1_000)
  }
})

test('of keys that are not full the one that was touched longest ago makes room', () => {
  const ledger = new LimitLedger(2)
  const one = createHolder()
  for (const key of ['a', 'b', 'a', 'c']) ledger.receive(one, ask([[key, 4, 0]]), 0)
  one.heard.length = 0
  ledger.receive(one, ask([['a', 1, 0]]), 0)
  assert.deepEqual(one.takeGrants(), [['a', 0, 0]])
})
