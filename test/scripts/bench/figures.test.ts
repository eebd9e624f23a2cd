import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasErrors, summarize } from '../../../scripts/bench/figures.ts'
import { sample } from './sample-results.ts'

test('a row has the medians of its rounds and the ratio to the baseline', () => {
  const [nginx, other] = summarize(
    [
      { load: 'get-64', contender: 'nginx', samples: [sample(10), sample(40), sample(20)] },
      { load: 'get-64', contender: 'other', samples: [sample(20), sample(80), sample(41)] },
    ],
    'nginx',
  )
  assert.equal(nginx?.cpuMicrosPerRequest, 20)
  assert.equal(nginx?.cpuRatio, 1)
  assert.equal(other?.cpuMicrosPerRequest, 41)
  assert.equal(other?.cpuRatio, 2)
  assert.equal(other?.requestsPerSecond, 1_000)
  assert.equal(other?.p50Ms, 0.5)
  assert.equal(other?.p99Ms, 2)
  assert.equal(hasErrors({ errors: other?.errors ?? {} }), false)
})

test('the ratio is to the baseline under the same load', () => {
  const rows = summarize(
    [
      { load: 'get-1', contender: 'nginx', samples: [sample(10)] },
      { load: 'get-64', contender: 'other', samples: [sample(20)] },
    ],
    'nginx',
  )
  assert.equal(rows[1]?.cpuRatio, undefined)
})

test('large responses have a cost for each megabyte, small ones have none', () => {
  const large = sample(500, { bytes: 2_097_152 * 1_000 })
  const [small, big] = summarize(
    [
      { load: 'get-64', contender: 'nginx', samples: [sample(10)] },
      { load: 'get-1m', contender: 'nginx', samples: [large] },
    ],
    'nginx',
  )
  assert.equal(small?.cpuMicrosPerMegabyte, undefined)
  assert.equal(big?.cpuMicrosPerMegabyte, 250)
})

for (const { name, change, errors } of [
  { name: 'errors of every round are added', change: { errors: { status: 2 } }, errors: { status: 4 } },
  { name: 'a process that ended is an error', change: { cpuMicros: undefined }, errors: { 'process ended': 2 } },
  { name: 'no request at all is an error', change: { requests: 0 }, errors: { 'no request done': 2 } },
]) {
  test(name, () => {
    const samples = [sample(10), sample(10, change), sample(10, change)]
    const [row] = summarize([{ load: 'get-64', contender: 'nginx', samples }], 'nginx')
    assert.deepEqual(row?.errors, errors)
    assert.equal(row?.cpuMicrosPerRequest, 10)
  })
}
