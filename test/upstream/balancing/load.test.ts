import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BalancingConfig } from '../../../src/config/balancing-config.ts'
import { createBalancer } from '../../../src/upstream/balancing/balancers.ts'
import type { Member } from '../../../src/upstream/balancing/member.ts'
import { noteFirstByte, noteNoAnswer } from '../../../src/upstream/latency.ts'
import { createMembers, inputOf, nameOf, seededRandom } from './setting.ts'

function pickOnce(kind: 'least_connections' | 'least_time', members: readonly Member[], nowMs = 1_000) {
  const balancing: BalancingConfig = { kind }
  return nameOf(createBalancer(balancing, { random: () => 0, nowMs: () => nowMs }).pick(members, inputOf(1)))
}

function stateOf(members: readonly Member[], index: number) {
  const member = members[index]
  assert.ok(member)
  return member.backend.state
}

for (const { name, weights, inFlight, tunnels = [], picked } of [
  { name: 'the least busy one', weights: [1, 1, 1], inFlight: [2, 1, 3], picked: 'b' },
  { name: 'the least busy one for its weight', weights: [4, 1, 1], inFlight: [3, 1, 1], picked: 'a' },
  { name: 'one with tunnels as one that is busy', weights: [1, 1], inFlight: [0, 1], tunnels: [2], picked: 'b' },
]) {
  test(`least_connections picks ${name}`, () => {
    const members = createMembers(...weights)
    for (const [i] of weights.entries()) {
      stateOf(members, i).inFlight = inFlight[i] ?? 0
      stateOf(members, i).tunnels = tunnels[i] ?? 0
    }
    assert.equal(pickOnce('least_connections', members), picked)
  })
}

test('power_of_two never picks the busiest, and not always the least busy', () => {
  const members = createMembers(1, 1, 1)
  for (const [i, { backend }] of members.entries()) backend.state.inFlight = i
  const balancer = createBalancer({ kind: 'power_of_two' }, { random: seededRandom(7), nowMs: () => 0 })
  const picks = new Set(Array.from({ length: 1_000 }, (_, n) => nameOf(balancer.pick(members, inputOf(n)))))
  assert.deepEqual([...picks].sort(), ['a', 'b'])
})

test('requests that last spread evenly with power_of_two', () => {
  const members = createMembers(1, 1, 1, 1)
  const balancer = createBalancer({ kind: 'power_of_two' }, { random: seededRandom(3), nowMs: () => 0 })
  for (let n = 0; n < 4_000; n++) {
    const picked = balancer.pick(members, inputOf(n))
    if (picked !== undefined) picked.backend.state.inFlight++
  }
  const loads = members.map(({ backend }) => backend.state.inFlight)
  // Chance alone would leave them about 60 apart, and more than 200 once in a million tries.
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 10, loads.join(' '))
})

test('least_time picks the one that answers sooner', () => {
  const members = createMembers(1, 1)
  noteFirstByte(stateOf(members, 0), 50, 1_000)
  noteFirstByte(stateOf(members, 1), 10, 1_000)
  assert.equal(pickOnce('least_time', members), 'b')
})

test('least_time leaves the fast one where enough is waiting there', () => {
  const members = createMembers(1, 1)
  noteFirstByte(stateOf(members, 0), 50, 1_000)
  noteFirstByte(stateOf(members, 1), 10, 1_000)
  stateOf(members, 1).inFlight = 5
  assert.equal(pickOnce('least_time', members), 'a')
})

test('least_time tries a backend that was never measured, but not with everything at once', () => {
  const members = createMembers(1, 1)
  noteFirstByte(stateOf(members, 0), 10, 1_000)
  assert.equal(pickOnce('least_time', members), 'b')
  stateOf(members, 1).inFlight = 1
  assert.equal(pickOnce('least_time', members), 'a')
})

test('least_time asks a slow backend again when it was not asked for long', () => {
  const members = createMembers(1, 1)
  noteFirstByte(stateOf(members, 0), 500, 1_000)
  noteFirstByte(stateOf(members, 1), 10, 1_000)
  assert.equal(pickOnce('least_time', members, 2_000), 'b')
  noteFirstByte(stateOf(members, 1), 10, 61_000)
  assert.equal(pickOnce('least_time', members, 61_000), 'a')
})

test('least_time does not take a backend that refuses fast for a fast one', () => {
  const members = createMembers(1, 1)
  noteFirstByte(stateOf(members, 0), 100, 1_000)
  noteNoAnswer(stateOf(members, 1), 1, 1_000)
  assert.equal(pickOnce('least_time', members), 'a')
})

test('the average follows what is measured within its memory', () => {
  const state = stateOf(createMembers(1), 0)
  for (let ms = 0; ms <= 60_000; ms += 100) noteFirstByte(state, ms < 30_000 ? 10 : 100, ms)
  assert.ok(Math.abs(state.firstByteMs - 100) < 10, String(state.firstByteMs))
})
