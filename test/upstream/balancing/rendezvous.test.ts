import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PickInput } from '../../../src/upstream/balancing/balancer.ts'
import { createBalancer } from '../../../src/upstream/balancing/balancers.ts'
import { hashText } from '../../../src/upstream/balancing/hash.ts'
import { pickByHash } from '../../../src/upstream/balancing/rendezvous.ts'
import { CHI_SQUARE_LIMITS, chiSquare, createMembers, inputOf, nameOf, seededRandom } from './setting.ts'

const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 12 })

test('a backend that goes moves only its own keys', () => {
  fc.assert(
    fc.property(weights, fc.nat(), fc.string(), (given, at, key) => {
      const members = createMembers(...given)
      const gone = members[at % members.length]
      const hash = hashText(key, 0)
      const before = pickByHash(members, hash)
      const after = pickByHash(
        members.filter((member) => member !== gone),
        hash,
      )
      if (before !== gone) assert.equal(after, before)
    }),
  )
})

test('a backend whose weight grows takes keys, and loses none', () => {
  fc.assert(
    fc.property(weights, fc.nat(), fc.string(), (given, at, key) => {
      const members = createMembers(...given)
      const grown = members[at % members.length]
      assert.ok(grown)
      const hash = hashText(key, 0)
      const before = pickByHash(members, hash)
      grown.share *= 2
      const after = pickByHash(members, hash)
      if (after !== grown) assert.equal(after, before)
    }),
  )
})

test('the keys of a backend that goes are spread over all the others', () => {
  const members = createMembers(1, 1, 1, 1)
  const counts = [0, 0, 0]
  for (let n = 0; n < 40_000; n++) {
    const hash = hashText(`/items/${n}`, 0)
    if (pickByHash(members, hash) !== members[3]) continue
    const next = pickByHash(members.slice(0, 3), hash)
    const index = next === undefined ? -1 : members.indexOf(next)
    counts[index] = (counts[index] ?? 0) + 1
  }
  assert.ok(chiSquare(counts, [1, 1, 1]) < (CHI_SQUARE_LIMITS[2] ?? 0), counts.join(' '))
})

const sources = { random: seededRandom(5), nowMs: () => 0 }
const members = createMembers(...Array.from({ length: 16 }, () => 1))

function withTarget(target: string): PickInput {
  const input = inputOf(1)
  return { ...input, head: { ...input.head, target } }
}

test('the query and the form of the target do not matter to path_hash', () => {
  const { pick } = createBalancer({ kind: 'path_hash' }, sources)
  for (let n = 0; n < 50; n++) {
    const path = `/items/${n}`
    const names = [path, `${path}?a=1`, `${path}?`, `http://h:80${path}?x`].map((target) =>
      nameOf(pick(members, withTarget(target))),
    )
    assert.equal(new Set(names).size, 1, `${path}: ${names.join(' ')}`)
  }
  for (const target of ['*', 'http://h', 'http://h?x']) assert.notEqual(pick(members, withTarget(target)), undefined)
})

test('one client address stays with one backend', () => {
  const { pick } = createBalancer({ kind: 'ip_hash' }, sources)
  const names = Array.from({ length: 50 }, (_, n) =>
    nameOf(pick(members, { ...inputOf(n), identity: { address: '2001:db8::1' } })),
  )
  assert.equal(new Set(names).size, 1)
})

test('one value of the header stays with one backend, however its name is written', () => {
  const { pick } = createBalancer({ kind: 'header_hash', header: 'x-user' }, sources)
  const names = ['X-User', 'x-user', 'X-USER'].map((name) => {
    const input = inputOf(1)
    return nameOf(pick(members, { ...input, head: { ...input.head, headers: ['Host', 'h', name, 'ann'] } }))
  })
  assert.equal(new Set(names).size, 1)
})

test('what has no key is spread', () => {
  for (const kind of ['ip_hash', 'header_hash'] as const) {
    const { pick } = createBalancer(kind === 'ip_hash' ? { kind } : { kind, header: 'x-none' }, sources)
    const names = Array.from({ length: 200 }, () => nameOf(pick(members, { ...inputOf(1), identity: { address: '' } })))
    assert.ok(new Set(names).size > 8, `${kind}: ${new Set(names).size}`)
  }
})
