import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BUCKET_COUNT, bucketOf, percentileMs, SCRAPE_EDGES } from '../../src/metrics/histogram.ts'

const LEAST_MS = 2 ** -5
const MOST_MS = 2 ** 22
const TOLERANCE = 0.0906

function histogramOf(durations: readonly number[]): Uint32Array {
  const buckets = new Uint32Array(BUCKET_COUNT)
  for (const ms of durations) {
    const bucket = bucketOf(ms)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  return buckets
}

/** Spread over the whole range as evenly as the buckets are. */
const duration = fc.double({ min: Math.log(LEAST_MS), max: Math.log(MOST_MS), noNaN: true }).map(Math.exp)

test('percentiles are within 9.1 % of those of the durations themselves', () => {
  const check = fc.property(
    fc.array(duration, { minLength: 1, maxLength: 200 }),
    fc.constantFrom(0.5, 0.9, 0.99, 1),
    (durations, share) => {
      const exact = durations.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * durations.length)) - 1] ?? 0
      const found = percentileMs(histogramOf(durations), share) ?? 0
      assert.ok(Math.abs(found - exact) <= exact * TOLERANCE, `${found} for ${exact}`)
    },
  )
  fc.assert(check, { numRuns: 500 })
})

test('a longer duration is never in an earlier bucket', () => {
  const check = fc.property(duration, duration, (a, b) => {
    assert.equal(Math.sign(bucketOf(a) - bucketOf(b)) * Math.sign(a - b) >= 0, true)
  })
  fc.assert(check, { numRuns: 1_000 })
})

test('every edge that a scrape tells takes what is as long as it says, and nothing longer', () => {
  for (const { bucket, le } of SCRAPE_EDGES) {
    const ms = Number(le) * 1000
    assert.equal(bucketOf(ms), bucket, le)
    assert.equal(bucketOf(ms * 1.0001), bucket + 1, le)
  }
  assert.deepEqual([SCRAPE_EDGES[0]?.le, SCRAPE_EDGES.at(-1)?.le, SCRAPE_EDGES.length], ['0.000125', '65.536', 20])
})

for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e12, Number.MIN_VALUE]) {
  test(`${ms} ms has a bucket`, () => {
    const bucket = bucketOf(ms)
    assert.ok(Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKET_COUNT, `${bucket}`)
  })
}

test('nothing has no percentile', () => assert.equal(percentileMs(new Uint32Array(BUCKET_COUNT), 0.5), undefined))
