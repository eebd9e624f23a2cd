import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SplitRule } from '../../src/config/split-config.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import type { PickInput } from '../../src/upstream/balancing/balancer.ts'
import { Split } from '../../src/upstream/split.ts'
import { compileUpstream, type Upstream } from '../../src/upstream/upstream.ts'
import { upstreamOf } from '../helpers/built-config.ts'
import { CHI_SQUARE_LIMITS, chiSquare, inputOf, seededRandom } from './balancing/setting.ts'

const STICKY_SECRET = 'a secret of this test'

/** Two groups of two backends each, `stable` and `canary`. */
function stage(by: SplitRule, canary = 1, sticky = false) {
  const registry = new BackendRegistry(new WorkerMetrics())
  const groupOf = (name: string) =>
    compileUpstream(
      upstreamOf({
        name,
        backends: [1, 2].map((n) => ({ host: `${name}-${n}`, port: 80, tls: undefined, weight: 1, backup: false })),
        sticky: sticky ? { cookie: 'lb', secret: undefined } : undefined,
      }),
      registry,
      { stickySecret: STICKY_SECRET },
    )
  const groups = new Map<string, Upstream>(['stable', 'canary'].map((name) => [name, groupOf(name)]))
  const find = (name: string) => {
    const group = groups.get(name)
    assert.ok(group)
    return group
  }
  const parts = [
    { upstream: 'stable', weight: 4 },
    { upstream: 'canary', weight: canary },
  ]
  const compile = () => new Split('/', { parts, by }, { random: seededRandom(2), stickySecret: STICKY_SECRET, find })
  return { registry, split: compile(), compile, find }
}

function groupOf(split: Upstream, input: PickInput): string | undefined {
  return split.pick(input, [])?.config.host.replace(/-\d$/, '')
}

function countGroups(split: Upstream, inputs: number): number[] {
  const counts = [0, 0]
  for (let n = 0; n < inputs; n++) {
    const index = groupOf(split, inputOf(n)) === 'stable' ? 0 : 1
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

function withCookie(cookie: string): PickInput {
  const input = inputOf(1)
  return { ...input, head: { ...input.head, headers: ['Cookie', cookie] } }
}

for (const by of [
  { kind: 'random' },
  { kind: 'header', header: 'x-user' },
  { kind: 'cookie', cookie: 'canary', secret: undefined },
] as const) {
  test(`by ${by.kind}, each group gets its share of new clients`, () => {
    const counts = countGroups(stage(by).split, 20_000)
    assert.ok(chiSquare(counts, [4, 1]) < (CHI_SQUARE_LIMITS[1] ?? 0), counts.join(' '))
  })
}

test('a weight of 0 gets nobody', () => {
  assert.deepEqual(countGroups(stage({ kind: 'random' }, 0).split, 1_000), [1_000, 0])
})

test('one value of the header stays with one group', () => {
  const { split, compile } = stage({ kind: 'header', header: 'x-user' })
  for (let n = 0; n < 100; n++) {
    const group = groupOf(split, inputOf(n))
    assert.equal(groupOf(split, inputOf(n)), group)
    assert.equal(groupOf(compile(), inputOf(n)), group)
  }
})

test('a client with the cookie of a group stays there, also when the group gets nobody new any more', () => {
  const by = { kind: 'cookie', cookie: 'canary', secret: undefined } as const
  const at = stage(by)
  const [canary] = at.find('canary').backends
  assert.ok(canary)
  const [name, field = ''] = at.split.affinity?.fieldsFor(canary, inputOf(1).head, false) ?? []
  assert.equal(name, 'Set-Cookie')
  const [cookie = ''] = field.split(';')
  assert.match(cookie, /^canary=[\w-]{22}$/)
  for (const split of [at.split, at.compile(), stage(by, 0).split]) {
    for (let n = 0; n < 20; n++) assert.equal(groupOf(split, withCookie(cookie)), 'canary')
  }
  assert.deepEqual(at.split.affinity?.fieldsFor(canary, withCookie(cookie).head, false), [])
})

test('the cookie of the group and that of the backend are given together', () => {
  const at = stage({ kind: 'cookie', cookie: 'canary', secret: undefined }, 1, true)
  const [canary] = at.find('canary').backends
  assert.ok(canary)
  const fields = at.split.affinity?.fieldsFor(canary, inputOf(1).head, true) ?? []
  assert.deepEqual(
    fields.filter((_, i) => i % 2 === 1).map((field) => field.replace(/=.*/, '')),
    ['canary', 'lb'],
  )
})

test('a further attempt stays in the group, and leaves it when nobody is left there', () => {
  const { split, find } = stage({ kind: 'random' })
  const [first, second] = find('canary').backends
  assert.ok(first && second)
  for (let n = 0; n < 20; n++) assert.equal(split.pick(inputOf(n), [first]), second)
  assert.match(split.pick(inputOf(1), [first, second])?.name ?? '', /^stable/)
})

test('a group that is down leaves its clients to the others', () => {
  const { registry, split, find } = stage({ kind: 'random' })
  for (const backend of find('stable').backends) registry.setHealth(backend, 'down')
  assert.deepEqual(countGroups(split, 100), [0, 100])
})

test('where every group is down each is asked as ever', () => {
  const { registry, split } = stage({ kind: 'random' })
  for (const backend of split.backends) registry.setHealth(backend, 'down')
  const [stable = 0, canary = 0] = countGroups(split, 200)
  assert.ok(stable > canary && canary > 0, `${stable} ${canary}`)
})
