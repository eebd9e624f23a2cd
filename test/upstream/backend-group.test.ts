import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { USUAL_PASSIVE_HEALTH } from '../../src/config/health-config.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import type { Backend } from '../../src/upstream/backend.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import type { PickInput } from '../../src/upstream/balancing/balancer.ts'
import { compileUpstream } from '../../src/upstream/upstream.ts'
import { upstreamOf } from '../helpers/built-config.ts'
import { inputOf, seededRandom } from './balancing/setting.ts'

type MemberOptions = { readonly weight?: number; readonly backup?: boolean }

/** Backends by name, on a clock that the test moves. */
function stage(members: Readonly<Record<string, MemberOptions>>, settings: Partial<UpstreamConfig> = {}) {
  const clock = { ms: 1_000 }
  const nowMs = () => clock.ms
  const registry = new BackendRegistry(new WorkerMetrics(), nowMs)
  const compile = (given: Readonly<Record<string, MemberOptions>>) => {
    const backends = Object.entries(given).map(([host, { weight = 1, backup = false }]) => ({
      host,
      port: 80,
      tls: undefined,
      weight,
      backup,
    }))
    const sources = { nowMs, random: seededRandom(1), stickySecret: 'a secret of this test' }
    return compileUpstream(upstreamOf({ backends, ...settings }), registry, sources)
  }
  const upstream = compile(members)
  const find = (host: string): Backend => {
    const backend = registry.find(`http://${host}:80`)
    assert.ok(backend)
    return backend
  }
  return { clock, registry, upstream, compile, find }
}

type Stage = ReturnType<typeof stage>

function pickName({ upstream }: Pick<Stage, 'upstream'>, tried: readonly Backend[] = [], input = inputOf(1)) {
  return upstream.pick(input, tried)?.config.host
}

function countPicks(at: Pick<Stage, 'upstream'>, picks: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < picks; n++) {
    const name = pickName(at, [], inputOf(n)) ?? 'none'
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function withCookie(value: string): PickInput {
  const input = inputOf(1)
  return { ...input, head: { ...input.head, headers: ['Cookie', `lb=${value}`] } }
}

for (const health of ['down', 'drained'] as const) {
  test(`a backend that is ${health} takes nothing until it is up`, () => {
    const at = stage({ a: {}, b: {} })
    at.registry.setHealth(at.find('a'), health)
    assert.deepEqual(countPicks(at, 10), { b: 10 })
    at.registry.setHealth(at.find('a'), 'up')
    assert.deepEqual(countPicks(at, 10), { a: 5, b: 5 })
  })
}

test('an ejected backend comes back when its time is over, without anybody saying so', () => {
  const at = stage({ a: {}, b: {} })
  at.registry.eject(at.find('a'), 5_000)
  at.clock.ms = 4_999
  assert.deepEqual(countPicks(at, 10), { b: 10 })
  at.clock.ms = 5_000
  assert.deepEqual(countPicks(at, 10), { a: 5, b: 5 })
})

test('the only backend is asked whatever is known of its health, unless it is drained', () => {
  const at = stage({ a: {} })
  at.registry.eject(at.find('a'), 2_000)
  at.registry.setHealth(at.find('a'), 'down')
  assert.equal(pickName(at), 'a')
  assert.equal(at.upstream.isServed, false)
  at.registry.setHealth(at.find('a'), 'drained')
  assert.equal(pickName(at), undefined)
  at.registry.setHealth(at.find('a'), 'up')
  assert.equal(at.upstream.isServed, false)
  at.clock.ms = 2_000
  assert.equal(at.upstream.isServed, true)
})

test('the only backend is asked over an open circuit, unless it is watched', () => {
  for (const { passiveHealth, during } of [
    { passiveHealth: undefined, during: 'a' },
    { passiveHealth: USUAL_PASSIVE_HEALTH, during: undefined },
  ]) {
    const at = stage({ a: {} }, { passiveHealth })
    at.registry.openCircuit(at.find('a'), 2_000, 'connect_failed')
    assert.equal(pickName(at), during)
    at.clock.ms = 2_000
    assert.equal(pickName(at), 'a')
  }
})

for (const { name, members, down, drained = [], open = [], picked } of [
  { name: 'half of them are enough', members: ['a', 'b'], down: ['a'], picked: ['b'] },
  { name: 'less than half are not', members: ['a', 'b', 'c'], down: ['a', 'b'], picked: ['a', 'b', 'c'] },
  { name: 'none is a panic too', members: ['a', 'b'], down: ['a', 'b'], picked: ['a', 'b'] },
  { name: 'who is drained does not count', members: ['a', 'b', 'c'], down: ['a'], drained: ['b'], picked: ['c'] },
  { name: 'who is drained is not asked', members: ['a', 'b'], down: ['a'], drained: ['b'], picked: ['a'] },
  { name: 'an open circuit stays out', members: ['a', 'b', 'c'], down: ['a', 'b'], open: ['a'], picked: ['b', 'c'] },
  { name: 'everybody has an open circuit', members: ['a', 'b'], down: [], open: ['a', 'b'], picked: ['none'] },
  { name: 'everybody is drained', members: ['a', 'b'], down: [], drained: ['a', 'b'], picked: ['none'] },
]) {
  test(`in a panic health is ignored: ${name}`, () => {
    const at = stage(Object.fromEntries(members.map((member) => [member, {}])))
    for (const member of down) at.registry.setHealth(at.find(member), 'down')
    for (const member of drained) at.registry.setHealth(at.find(member), 'drained')
    for (const member of open) at.registry.openCircuit(at.find(member), 9_000, 'connect_failed')
    assert.deepEqual(Object.keys(countPicks(at, 30)).sort(), picked)
  })
}

test('a backup that is available comes before a panic', () => {
  const at = stage({ a: {}, b: {}, c: {}, d: { backup: true } })
  for (const name of ['a', 'b']) at.registry.setHealth(at.find(name), 'down')
  assert.deepEqual(countPicks(at, 10), { c: 10 })
  at.registry.setHealth(at.find('c'), 'down')
  assert.deepEqual(countPicks(at, 10), { d: 10 })
  at.registry.setHealth(at.find('d'), 'down')
  assert.deepEqual(countPicks(at, 9), { a: 3, b: 3, c: 3 })
})

test('backups are asked only where no other is available', () => {
  const at = stage({ a: {}, b: { backup: true }, c: { backup: true } })
  assert.deepEqual(countPicks(at, 10), { a: 10 })
  at.registry.setHealth(at.find('a'), 'down')
  assert.deepEqual(countPicks(at, 10), { b: 5, c: 5 })
  at.registry.setHealth(at.find('a'), 'up')
  assert.deepEqual(countPicks(at, 10), { a: 10 })
})

test('a weight of 0 takes nothing new', () => {
  assert.deepEqual(countPicks(stage({ a: { weight: 0 }, b: {} }), 10), { b: 10 })
})

test('a backend is alone only where no other can come', () => {
  assert.equal(stage({ a: {} }).upstream.isLone, true)
  assert.equal(stage({ a: {}, b: { backup: true } }).upstream.isLone, false)
  const member = { host: 'a', port: 80, tls: undefined, weight: 1, backup: false, discovery: 'addresses' } as const
  const registry = new BackendRegistry(new WorkerMetrics())
  assert.equal(compileUpstream(upstreamOf({ backends: [member] }), registry).isLone, false)
})

test('a further attempt goes to another backend, and to a backup when all others were tried', () => {
  const at = stage({ a: {}, b: {}, c: { backup: true } })
  const [a, b, c] = ['a', 'b', 'c'].map(at.find)
  assert.ok(a && b && c)
  for (let n = 0; n < 5; n++) assert.equal(pickName(at, [a]), 'b')
  assert.equal(pickName(at, [a, b]), 'c')
  assert.equal(pickName(at, [a, b, c]), undefined)
  assert.equal(pickName(stage({ a: {} }), [a]), undefined)
})

test('weights of the next snapshot count at once, and the history stays', () => {
  const at = stage({ a: {}, b: {} })
  at.find('a').state.inFlight = 7
  const next = at.compile({ a: { weight: 3 }, b: {} })
  assert.deepEqual(countPicks({ upstream: next }, 12), { a: 9, b: 3 })
  assert.equal(next.backends[0]?.state.inFlight, 7)
  assert.deepEqual(countPicks(at, 12), { a: 6, b: 6 })
})

test('a backend that comes back gets its share little by little', (t) => {
  const at = stage({ a: {}, b: {} }, { slowStartMs: 10_000 })
  assert.deepEqual(countPicks(at, 100), { a: 50, b: 50 })
  at.registry.setHealth(at.find('a'), 'down')
  at.registry.setHealth(at.find('a'), 'up')
  const shares = [0, 2_500, 5_000, 10_000].map((ms) => {
    at.clock.ms = 1_000 + ms
    return (countPicks(at, 1_100)['a'] ?? 0) / 1_100
  })
  t.diagnostic(shares.map((share) => share.toFixed(3)).join(' '))
  for (const [i, part] of [0.1, 0.25, 0.5, 1].entries()) {
    assert.ok(Math.abs((shares[i] ?? 0) - part / (1 + part)) < 0.01, String(shares))
  }
})

test('so does one whose ejection is over, and one that a reload brings, but not those of the first snapshot', () => {
  const at = stage({ a: {}, b: {} }, { slowStartMs: 10_000 })
  at.registry.retain(at.upstream.backends)
  assert.deepEqual(countPicks(at, 100), { a: 50, b: 50 })
  at.registry.eject(at.find('a'), 3_000)
  at.clock.ms = 3_000
  assert.deepEqual(countPicks(at, 110), { a: 10, b: 100 })
  at.clock.ms = 20_000
  assert.deepEqual(countPicks(at, 100), { a: 50, b: 50 })
  assert.deepEqual(countPicks({ upstream: at.compile({ a: {}, c: {} }) }, 110), { a: 100, c: 10 })
})

/** What a client of that backend is given. */
function cookieOf({ upstream, find }: Stage, name: string): string {
  const [, field = ''] = upstream.affinity?.fieldsFor(find(name), inputOf(1).head, false) ?? []
  return /^lb=([^;]+)/.exec(field)?.[1] ?? ''
}

test('a cookie leads back to its backend, whatever the algorithm says', () => {
  const at = stage({ a: {}, b: {}, c: {} }, { sticky: { cookie: 'lb', secret: undefined } })
  const { affinity } = at.upstream
  assert.ok(affinity)
  const [name, cookie] = affinity.fieldsFor(at.find('b'), inputOf(1).head, false)
  assert.equal(name, 'Set-Cookie')
  const [, value = ''] = /^lb=([\w-]{22}); Path=\/; HttpOnly; SameSite=Lax$/.exec(cookie ?? '') ?? []
  for (let n = 0; n < 10; n++) assert.equal(pickName(at, [], withCookie(value)), 'b')
  assert.deepEqual(affinity.fieldsFor(at.find('b'), withCookie(value).head, false), [])
  assert.match(affinity.fieldsFor(at.find('b'), inputOf(1).head, true)[1] ?? '', /; Secure$/)
})

test('a cookie that was made elsewhere, or changed, leads nowhere', () => {
  const at = stage({ a: {}, b: {} }, { sticky: { cookie: 'lb', secret: undefined } })
  const other = stage({ a: {}, b: {} }, { sticky: { cookie: 'lb', secret: 'another secret, long' } })
  const named = stage({ a: {}, b: {} }, { name: 'web', sticky: { cookie: 'lb', secret: undefined } })
  const forged = [
    cookieOf(other, 'a'),
    cookieOf(named, 'a'),
    cookieOf(at, 'a').slice(0, -1),
    `${cookieOf(at, 'a')}A`,
    '',
    'a:80',
    '__proto__',
  ]
  for (const value of forged) {
    const names = new Set([0, 1].map(() => pickName(at, [], withCookie(value))))
    assert.equal(names.size, 2, value)
  }
})

test('a client whose backend is not available is led to another and told so', () => {
  const at = stage({ a: {}, b: {} }, { sticky: { cookie: 'lb', secret: undefined } })
  const { affinity } = at.upstream
  const value = cookieOf(at, 'a')
  at.registry.setHealth(at.find('a'), 'down')
  assert.equal(pickName(at, [], withCookie(value)), 'b')
  assert.equal(affinity?.fieldsFor(at.find('b'), withCookie(value).head, false).length, 2)
})

test('a weight of 0 still serves those who were there before', () => {
  const sticky = { cookie: 'lb', secret: undefined }
  const at = stage({ a: {}, b: {} }, { sticky })
  const value = cookieOf(at, 'a')
  const next = { upstream: at.compile({ a: { weight: 0 }, b: {} }) }
  assert.equal(pickName(next, [], withCookie(value)), 'a')
  assert.deepEqual(countPicks(next, 10), { b: 10 })
})

test('what a name stands for may change under a group, and who stays keeps its history', () => {
  const backends = [{ host: 'a', port: 80, tls: undefined, weight: 1, backup: false, discovery: 'addresses' as const }]
  const at = stage({}, { backends })
  const names = () => at.upstream.backends.map(({ name }) => name)
  assert.deepEqual(names(), ['a:80'])
  at.registry.discover({ addresses: { a: ['10.0.0.1', '10.0.0.2'] }, services: {}, isPrivate: false })
  const picked = [0, 1].map((n) => at.upstream.pick(inputOf(n), [])?.name)
  assert.deepEqual(picked, ['10.0.0.1:80', '10.0.0.2:80'])
  const [, second] = at.upstream.backends
  assert.ok(second)
  assert.equal(second.authority.hostField, 'a')
  at.registry.discover({ addresses: { a: ['10.0.0.2', '10.0.0.3'] }, services: {}, isPrivate: false })
  assert.deepEqual(names(), ['10.0.0.2:80', '10.0.0.3:80'])
  assert.equal(at.upstream.backends[0], second)
  const dropped = at.registry.retain(at.upstream.backends)
  assert.deepEqual(dropped.map(({ name }) => name).sort(), ['10.0.0.1:80', 'a:80'])
  at.registry.discover({ addresses: { a: [] }, services: {}, isPrivate: false })
  assert.equal(at.upstream.pick(inputOf(1), []), undefined)
})
