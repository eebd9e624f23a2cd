import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBalancing } from '../../../src/config/balancing-config.ts'
import type { Balancer } from '../../../src/upstream/balancing/balancer.ts'
import { createBalancer } from '../../../src/upstream/balancing/balancers.ts'
import type { Member } from '../../../src/upstream/balancing/member.ts'
import { ALGORITHMS, CHI_SQUARE_LIMITS, chiSquare, createMembers, inputOf, nameOf, seededRandom } from './setting.ts'

const PICKS = 20_000

function countPicks(balancer: Balancer, members: readonly Member[]): number[] {
  const counts = members.map(() => 0)
  for (let n = 0; n < PICKS; n++) {
    const picked = balancer.pick(members, inputOf(n))
    const index = picked === undefined ? -1 : members.indexOf(picked)
    assert.notEqual(index, -1)
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

for (const balancing of ALGORITHMS) {
  const name = formatBalancing(balancing)
  const create = () => createBalancer(balancing, { random: seededRandom(1), nowMs: () => 1_000 })

  test(`${name} picks nobody where there is nobody`, () => {
    assert.equal(create().pick([], inputOf(1)), undefined)
  })

  test(`${name} picks the only one there is`, () => {
    const [member] = createMembers(1)
    assert.ok(member)
    assert.equal(create().pick([member], inputOf(1)), member)
  })

  for (const weights of [
    [1, 1],
    [1, 1, 1, 1],
    [5, 1, 2],
    [100, 1, 50, 7, 3],
  ]) {
    test(`${name} spreads requests by weight, ${weights.join(' to ')}`, (t) => {
      const statistic = chiSquare(countPicks(create(), createMembers(...weights)), weights)
      t.diagnostic(`chi-square ${statistic.toFixed(2)}`)
      assert.ok(statistic < (CHI_SQUARE_LIMITS[weights.length - 1] ?? 0), `chi-square ${statistic}`)
    })
  }

  test(`${name} gives a backend that starts slowly what its share says`, () => {
    const members = createMembers(1, 1)
    const [first] = members
    assert.ok(first)
    first.share = 0.25
    assert.ok(chiSquare(countPicks(create(), members), [0.25, 1]) < (CHI_SQUARE_LIMITS[1] ?? 0))
  })

  test(`${name} goes on with those that are left, and takes back the one that returns`, () => {
    const members = createMembers(1, 1, 1)
    const balancer = create()
    for (let n = 0; n < 100; n++) assert.notEqual(nameOf(balancer.pick(members.slice(1), inputOf(n))), 'a')
    assert.ok(countPicks(balancer, members).every((count) => count > PICKS / 4))
  })
}
