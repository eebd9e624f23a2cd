import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequestIds, isRequestId } from '../../../src/proxy/headers/request-id.ts'

test('ids are unique within a source and between sources', () => {
  const sources = [createRequestIds(), createRequestIds(), createRequestIds()]
  const ids = Array.from({ length: 3000 }, (_, i) => sources[i % 3]?.())
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id ?? '', /^[0-9a-f]{20}$/)
})

test('an id from outside is 1 to 128 visible characters', () => {
  for (const id of ['a', 'a'.repeat(128), '!~{"}']) assert.equal(isRequestId(id), true)
  for (const id of ['', 'a'.repeat(129), 'a b', 'a\n', 'é', '\x7f']) assert.equal(isRequestId(id), false)
})
