import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, filledText, flag, size, text, wholeNumber, word } from '../../../src/config/schema/scalars.ts'
import { isRefused, readWith } from './read-with.ts'

for (const [value, durationMs] of [
  ['500ms', 500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['24d', 2_073_600_000],
  ['1.5s', 1500],
  ['10', 10_000],
  ['10 S', 10_000],
  [30, 30_000],
  [0.25, 250],
  [0, 0],
  ['0', 0],
  ['0.4ms', 1],
] as const) {
  test(`the duration ${value} is ${durationMs} ms`, () => {
    assert.equal(readWith(duration({ mayBeZero: true }), value), durationMs)
  })
}

for (const value of ['', 's', '-1s', -1, '5 minutes', '1h30m', '5sec', '25d', 1e12, Number.NaN, true, null, [], {}]) {
  test(`${JSON.stringify(value)} is no duration`, () => assert.ok(isRefused(duration({ mayBeZero: true }), value)))
}

test('a duration that must pass may not be zero', () => {
  assert.deepEqual(readWith(duration({ mayBeZero: false }), '0s'), {
    expected: 'a duration such as 500ms, 30s, 5m, 1h, or a number of seconds, more than zero',
  })
  assert.equal(readWith(duration({ mayBeZero: false }), '1ms'), 1)
})

test('a duration is not longer than a timer can be', () => {
  assert.deepEqual(readWith(duration({ mayBeZero: true }), '30d'), {
    expected: 'a duration such as 500ms, 30s, 5m, 1h, or a number of seconds, at most 24d',
  })
})

for (const [value, bytes] of [
  ['64kb', 65_536],
  ['64k', 65_536],
  ['64KiB', 65_536],
  ['10mb', 10_485_760],
  ['10 MB', 10_485_760],
  ['1gb', 1_073_741_824],
  ['1.5kb', 1536],
  ['512b', 512],
  ['512', 512],
  [10_485_760, 10_485_760],
  [0, 0],
] as const) {
  test(`the size ${value} is ${bytes} bytes`, () => assert.equal(readWith(size('0'), value), bytes))
}

for (const value of ['', 'kb', '-1kb', -1, '1tb', '1 kilobyte', 'ten', false, null, []]) {
  test(`${JSON.stringify(value)} is no size`, () => assert.ok(isRefused(size('0'), value)))
}

test('a size keeps within its bounds', () => {
  const schema = size('1kb', '1mb')
  assert.equal(readWith(schema, '1kb'), 1024)
  assert.equal(readWith(schema, '1mb'), 1_048_576)
  assert.ok(isRefused(schema, 1023))
  assert.ok(isRefused(schema, '1025kb'))
})

for (const [value, meaning] of [
  [true, true],
  [false, false],
  ['yes', true],
  ['No', false],
  ['ON', true],
  ['off', false],
  ['True', true],
] as const) {
  test(`${JSON.stringify(value)} means ${meaning}, as in YAML 1.1`, () =>
    assert.equal(readWith(flag(), value), meaning))
}

for (const value of ['y', '1', 1, 0, '', null, 'maybe']) {
  test(`${JSON.stringify(value)} is neither true nor false`, () => assert.ok(isRefused(flag(), value)))
}

test('a whole number keeps within its bounds', () => {
  const schema = wholeNumber(1, 65_535)
  assert.equal(readWith(schema, 1), 1)
  assert.equal(readWith(schema, 65_535), 65_535)
  for (const value of [0, 65_536, 1.5, '80', Number.POSITIVE_INFINITY, null]) assert.ok(isRefused(schema, value))
})

test('a word is taken in any case', () => {
  const schema = word({ DEBUG: 'debug', WARN: 'warn' })
  assert.equal(readWith(schema, 'Debug'), 'debug')
  assert.equal(readWith(schema, 'warn'), 'warn')
  assert.deepEqual(readWith(schema, 'trace'), { expected: 'one of DEBUG, WARN' })
})

test('a text is a text, and nothing else', () => {
  assert.equal(readWith(text(), ''), '')
  assert.ok(isRefused(text(), 1))
  assert.equal(readWith(filledText(), ' a '), 'a')
  assert.ok(isRefused(filledText(), '  '))
})
