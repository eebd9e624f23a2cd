import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PassiveHealthConfig, USUAL_PASSIVE_HEALTH } from '../../src/config/health-config.ts'
import { createPassiveHealth } from '../../src/health/passive-health.ts'
import { joinPassiveHealth } from '../../src/health/split-health.ts'
import type { BackendTrouble } from '../../src/ipc/health-messages.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import type { Backend } from '../../src/upstream/backend.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import { compileUpstream } from '../../src/upstream/upstream.ts'
import { upstreamOf } from '../helpers/built-config.ts'
import { inputOf } from '../upstream/balancing/setting.ts'

/** An upstream of so many backends that is watched, on a clock that the test moves. */
function stage(count: number, settings: Partial<PassiveHealthConfig> = {}) {
  const clock = { ms: 1_000 }
  const nowMs = () => clock.ms
  const told: BackendTrouble[] = []
  const registry = new BackendRegistry(new WorkerMetrics(), nowMs, (trouble) => told.push(trouble))
  const config = { ...USUAL_PASSIVE_HEALTH, ...settings }
  const backends = Array.from({ length: count }, (_, i) => ({
    host: `b${i}`,
    port: 80,
    tls: undefined,
    weight: 1,
    backup: false,
  }))
  const upstream = compileUpstream(upstreamOf({ backends, passiveHealth: config }), registry, { nowMs })
  const passive = createPassiveHealth(config, () => upstream.backends, registry, nowMs)
  const at = (index: number): Backend => {
    const backend = upstream.backends[index]
    assert.ok(backend)
    return backend
  }
  const pick = () => upstream.pick(inputOf(1), [])
  return { clock, registry, upstream, passive, told, at, pick }
}

function refuse({ passive }: ReturnType<typeof stage>, backend: Backend, times: number): void {
  for (let n = 0; n < times; n++) passive.failed(backend, 'connect_failed', false)
}

for (const { name, fail } of [
  { name: 'the status 502', fail: (at: ReturnType<typeof stage>) => at.passive.answered(at.at(0), 502, false) },
  { name: 'the status 504', fail: (at: ReturnType<typeof stage>) => at.passive.answered(at.at(0), 504, false) },
  {
    name: 'no answer in time',
    fail: (at: ReturnType<typeof stage>) => at.passive.failed(at.at(0), 'response_timeout', false),
  },
  { name: 'a bad answer', fail: (at: ReturnType<typeof stage>) => at.passive.failed(at.at(0), 'bad_response', false) },
]) {
  test(`${name} ejects a backend when it comes five times`, () => {
    const stand = stage(2)
    for (let n = 0; n < 4; n++) fail(stand)
    assert.equal(stand.at(0).state.ejectedUntilMs, 0)
    fail(stand)
    assert.equal(stand.at(0).state.ejectedUntilMs, 31_000)
    assert.equal(stand.at(0).state.openUntilMs, 0)
    for (let n = 0; n < 4; n++) assert.equal(stand.pick(), stand.at(1))
    stand.clock.ms = 31_000
    assert.equal(new Set([stand.pick(), stand.pick()]).size, 2)
  })
}

for (const status of [200, 404, 429, 500, 501, 505]) {
  test(`the status ${status} is the application's own`, () => {
    const { passive, at } = stage(2, { failures: 1 })
    passive.answered(at(0), status, false)
    assert.equal(at(0).state.trouble, undefined)
  })
}

test('connections that fail now and then eject a backend, and do not open its circuit', () => {
  const stand = stage(2)
  for (let n = 0; n < 5; n++) {
    refuse(stand, stand.at(0), 1)
    stand.passive.answered(stand.at(0), 200, false)
  }
  assert.equal(stand.at(0).state.ejectedUntilMs, 31_000)
  assert.equal(stand.at(0).state.openUntilMs, 0)
})

test('an open circuit lets one attempt through when its time is over, and the next when that has failed', () => {
  const stand = stage(1)
  const [only] = stand.upstream.backends
  assert.ok(only)
  refuse(stand, only, 5)
  assert.equal(stand.pick(), undefined)
  stand.clock.ms = 2_000
  assert.equal(stand.pick(), only)
  stand.passive.probe(only)
  assert.equal(stand.pick(), undefined)
  stand.passive.failed(only, 'connect_failed', true)
  stand.clock.ms = 3_999
  assert.equal(stand.pick(), undefined)
  stand.clock.ms = 4_000
  assert.equal(stand.pick(), only)
  stand.passive.probe(only)
  stand.passive.answered(only, 200, true)
  assert.equal(only.state.openUntilMs, 0)
  for (let n = 0; n < 3; n++) assert.equal(stand.pick(), only)
  assert.deepEqual(
    stand.told.map(({ openForMs, openings, why }) => [openForMs, openings, why]),
    [
      [1_000, 1, 'connect_failed'],
      [2_000, 2, 'connect_failed'],
      [0, 0, ''],
    ],
  )
})

test('a probe that tells nothing is followed by another', () => {
  const stand = stage(2)
  refuse(stand, stand.at(0), 5)
  stand.clock.ms = 2_000
  stand.passive.probe(stand.at(0))
  stand.passive.abandon(stand.at(0))
  assert.equal(stand.pick(), stand.at(1))
  stand.clock.ms = 3_000
  assert.equal(new Set([stand.pick(), stand.pick()]).size, 2)
  assert.equal(stand.at(0).state.trouble?.openings, 1)
})

test('who is reached by others need not wait for its probe', () => {
  const stand = stage(1)
  const [only] = stand.upstream.backends
  assert.ok(only)
  stand.registry.hurryProbe(only.key)
  assert.equal(only.state.openUntilMs, 0)
  refuse(stand, only, 5)
  assert.equal(stand.pick(), undefined)
  stand.registry.hurryProbe(only.key)
  assert.equal(stand.pick(), only)
  stand.passive.probe(only)
  assert.equal(stand.pick(), undefined)
})

test('a probe whose answer does not come has failed', () => {
  const stand = stage(1)
  refuse(stand, stand.at(0), 5)
  stand.clock.ms = 2_000
  stand.passive.probe(stand.at(0))
  stand.passive.failed(stand.at(0), 'response_timeout', true)
  assert.equal(stand.at(0).state.openUntilMs, 4_000)
})

test('circuits open whatever share may be ejected, and nobody is ejected besides', () => {
  const stand = stage(3, { maxEjected: 0 })
  for (const backend of stand.upstream.backends) refuse(stand, backend, 8)
  assert.equal(stand.pick(), undefined)
  assert.ok(stand.upstream.backends.every(({ state }) => state.openUntilMs > 0 && state.ejectedUntilMs === 0))
})

test('a backend that was checked to be down and is up starts anew', () => {
  const stand = stage(2)
  const first = stand.at(0)
  for (let n = 0; n < 5; n++) stand.passive.answered(first, 503, false)
  refuse(stand, first, 5)
  stand.registry.applyStates({ [first.key]: 'down' })
  stand.registry.applyStates({})
  assert.deepEqual([first.state.ejectedUntilMs, first.state.openUntilMs, first.state.trouble], [0, 0, undefined])
})

test('never more than the share is ejected, whatever fails and whenever', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 100 }),
      fc.array(fc.tuple(fc.nat(5), fc.constantFrom(0, 100, 20_000)), { maxLength: 200 }),
      (count, percent, events) => {
        const stand = stage(count, { failures: 2, maxEjected: percent / 100 })
        for (const [index, waitMs] of events) {
          stand.clock.ms += waitMs
          stand.passive.answered(stand.at(index % count), 503, false)
          const ejected = stand.upstream.backends.filter(({ state }) => state.ejectedUntilMs > stand.clock.ms).length
          assert.ok(ejected * 100 <= count * percent)
        }
      },
    ),
  )
})

test('what one worker went through another inherits', () => {
  const old = stage(2)
  for (let n = 0; n < 5; n++) old.passive.answered(old.at(0), 503, false)
  refuse(old, old.at(1), 5)
  const young = stage(2)
  young.clock.ms = 500
  for (const trouble of old.told) young.registry.inherit(trouble)
  assert.equal(young.at(0).state.ejectedUntilMs, 30_500)
  assert.equal(young.at(1).state.openUntilMs, 1_500)
  // Nobody is available, and that is a panic.
  assert.equal(young.pick(), young.at(0))
  young.clock.ms = 1_500
  assert.equal(young.pick(), young.at(1))
})

test('of a split each backend is watched as its own group says', () => {
  const strict = stage(2, { failures: 1 })
  const other = stage(1)
  const joined = joinPassiveHealth([
    { upstream: strict.upstream, passive: strict.passive },
    { upstream: other.upstream, passive: undefined },
  ])
  joined?.answered(strict.at(1), 503, false)
  joined?.answered(other.at(0), 503, false)
  assert.equal(strict.at(1).state.ejectedUntilMs, 31_000)
  assert.equal(other.at(0).state.trouble, undefined)
  assert.equal(joinPassiveHealth([{ upstream: other.upstream, passive: undefined }]), undefined)
})
