import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAccessJson, parseAccessFields } from '../../src/log/access-line.ts'
import type { AccessRecord } from '../../src/log/access-log.ts'
import { quoteJson } from '../../src/log/json-string.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 41, maxLength: 90 }))
const optionalText = fc.option(text, { nil: undefined })
const milliseconds = fc.integer({ min: 0, max: 1e9 }).map((microseconds) => microseconds / 1000)
const optionalMilliseconds = fc.option(milliseconds, { nil: undefined })
const records: fc.Arbitrary<AccessRecord> = fc
  .record(
    {
      requestId: text,
      client: text,
      method: text,
      host: text,
      target: text,
      protocol: text,
      route: optionalText,
      backend: optionalText,
      attempts: fc.integer({ min: 1, max: 10 }),
      status: fc.integer({ min: 100, max: 599 }),
      wouldRefuse: optionalText,
      reason: optionalText,
      bytesIn: fc.maxSafeNat(),
      bytesOut: fc.maxSafeNat(),
      totalMs: milliseconds,
      connectMs: optionalMilliseconds,
      firstByteMs: optionalMilliseconds,
      tunnel: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  .map((record) => (record.backend === undefined ? { ...record, attempts: 0 } : record))

test('a line tells every field of its exchange, whatever the client sent', () => {
  fc.assert(
    fc.property(records, (record) => {
      const line = formatAccessJson(record, '2026-01-02T03:04:05.678Z', '"pid":7,"role":"worker"')
      assert.equal(line.indexOf('\n'), line.length - 1)
      assert.deepEqual(parseAccessFields(JSON.parse(line)), record)
    }),
  )
})

test('any string is quoted as JSON.stringify does it', () => {
  const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
  fc.assert(
    fc.property(anyUnits, (units) => {
      const value = String.fromCharCode(...units)
      assert.equal(quoteJson(value), JSON.stringify(value))
    }),
  )
})

test('a line has the members that every line of the process has', () => {
  const [record] = fc.sample(records, 1)
  assert.ok(record)
  const line = JSON.parse(formatAccessJson({ ...record, tunnel: true }, '2026-01-02T03:04:05.678Z', '"pid":7'))
  assert.equal(line.level, 'info')
  assert.equal(line.time, '2026-01-02T03:04:05.678Z')
  assert.equal(line.pid, 7)
  assert.equal(line.msg, 'tunnel')
})

test('times that were not measured do not break a line', () => {
  const [record] = fc.sample(records, 1)
  assert.ok(record)
  const line = formatAccessJson({ ...record, totalMs: Number.NaN }, '2026-01-02T03:04:05.678Z', '"pid":7')
  assert.equal(JSON.parse(line).total_ms, 0)
})
