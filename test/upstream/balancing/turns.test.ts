import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMember } from '../../../src/upstream/balancing/member.ts'
import { createRoundRobin } from '../../../src/upstream/balancing/round-robin.ts'
import { createMembers, inputOf, nameOf } from './setting.ts'

test('a heavy backend does not get its turns in a row', () => {
  const members = createMembers(5, 1, 1)
  const balancer = createRoundRobin()
  const order = Array.from({ length: 14 }, (_, n) => nameOf(balancer.pick(members, inputOf(n))))
  assert.equal(order.join(''), 'aabacaaaabacaa')
})

test('the next snapshot goes on with the round where the last one left it, by its own weights', () => {
  const before = createMembers(1, 1, 1)
  const balancer = createRoundRobin()
  const [first, second] = [0, 1].map((n) => nameOf(balancer.pick(before, inputOf(n))))
  const after = before.map(({ backend }, i) => createMember(backend, 'api', i === 2 ? 4 : 1))
  assert.deepEqual([first, second], ['a', 'b'])
  assert.equal(nameOf(createRoundRobin().pick(after, inputOf(2))), 'c')
})

test('another upstream with the same backends has a round of its own', () => {
  const members = createMembers(1, 1)
  const others = members.map(({ backend }) => createMember(backend, 'other', 1))
  const balancer = createRoundRobin()
  const order = Array.from({ length: 4 }, (_, n) => [
    nameOf(balancer.pick(members, inputOf(n))),
    nameOf(balancer.pick(others, inputOf(n))),
  ])
  assert.deepEqual(order, [
    ['a', 'a'],
    ['b', 'b'],
    ['a', 'a'],
    ['b', 'b'],
  ])
})
