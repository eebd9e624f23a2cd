import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { median, pairedRatio, percentile } from '../../../scripts/bench/statistics.ts'

for (const { values, expected } of [
  { values: [], expected: undefined },
  { values: [7], expected: 7 },
  { values: [9, 1, 5], expected: 5 },
  { values: [10, 9, 1, 5], expected: 7 },
]) {
  test(`the median of [${values}] is ${expected}`, () => assert.equal(median(values), expected))
}

for (const { sorted, percent, expected } of [
  { sorted: [], percent: 50, expected: 0 },
  { sorted: [3], percent: 99, expected: 3 },
  { sorted: [1, 2, 3, 4], percent: 50, expected: 2 },
  { sorted: [1, 2, 3, 4], percent: 99, expected: 4 },
]) {
  test(`percentile ${percent} of [${sorted}] is ${expected}`, () => assert.equal(percentile(sorted, percent), expected))
}

test('a machine that slows down between rounds does not change a ratio', () => {
  const base = fc.double({ min: 1, max: 1_000, noNaN: true })
  fc.assert(
    fc.property(fc.array(base, { minLength: 1 }), (rounds) => {
      const ratio = pairedRatio(
        rounds.map((value) => value * 2),
        rounds,
      )
      assert.equal(ratio, 2)
    }),
  )
})

test('rounds that one of both lacks do not count', () => {
  assert.equal(pairedRatio([undefined, 6, 9], [1, 2, undefined]), 3)
  assert.equal(pairedRatio([1], []), undefined)
})
