import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFamily, formatHistograms } from '../../src/metrics/exposition.ts'
import { BUCKET_COUNT, bucketOf } from '../../src/metrics/histogram.ts'

test('a family has its help, its type and a line for each sample', () => {
  assert.equal(
    formatFamily('pyserve_build_info', [[['1.0', 'v26'], 1]]),
    '# HELP pyserve_build_info Always 1.\n# TYPE pyserve_build_info gauge\npyserve_build_info{version="1.0",node="v26"} 1\n',
  )
})

test('a family without samples is not told', () => {
  assert.equal(formatFamily('pyserve_workers', []), '')
  assert.equal(formatHistograms('pyserve_request_duration_seconds', []), '')
})

test('label values are escaped', () => {
  assert.match(
    formatFamily('pyserve_request_bytes_total', [[['a"b\\c\nd é'], 1]]),
    /^pyserve_request_bytes_total\{route="a\\"b\\\\c\\nd é"\} 1$/m,
  )
})

test('a histogram is cumulative, in seconds, and its last bucket is its count', () => {
  const buckets = new Uint32Array(BUCKET_COUNT)
  for (const ms of [0.01, 1, 1.5, 100_000]) {
    const bucket = bucketOf(ms)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  const text = formatHistograms('pyserve_request_duration_seconds', [{ labels: ['/'], buckets, sumMs: 100_002.51 }])
  const value = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1]
  const bucket = (le: string) => value(`pyserve_request_duration_seconds_bucket{route="/",le="${le}"}`)
  assert.deepEqual(['0.000125', '0.0005', '0.001', '0.002', '65.536', '+Inf'].map(bucket), [
    '1',
    '1',
    '2',
    '3',
    '3',
    '4',
  ])
  assert.equal(value('pyserve_request_duration_seconds_sum{route="/"}'), '100.00251')
  assert.equal(value('pyserve_request_duration_seconds_count{route="/"}'), '4')
})
