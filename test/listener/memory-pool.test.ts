import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryPool } from '../../src/listener/memory-pool.ts'

const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, i) => i % 251))

test('a copy has the bytes at its beginning, in memory that is at most twice as large', () => {
  const pool = new MemoryPool()
  for (const size of [2_049, 4_096, 4_097, 16_384, 16_385, 65_536]) {
    const copy = pool.copy(bytes, 0, size)
    assert.ok(copy !== undefined && copy.length < 2 * size)
    assert.ok(copy.subarray(0, size).equals(bytes.subarray(0, size)))
  }
})

test('what was given back is used again, and nothing else is', () => {
  const pool = new MemoryPool()
  const first = pool.copy(bytes, 0, 10_000)
  const second = pool.copy(bytes, 0, 10_000)
  assert.notEqual(first, second)
  assert.ok(first !== undefined)
  pool.giveBack(first)
  assert.equal(pool.copy(bytes, 5, 16_000), first)
  assert.notEqual(pool.copy(bytes, 5, 16_000), first)
})

test('few bytes, and more than one read has, are none of its business', () => {
  const pool = new MemoryPool()
  assert.equal(pool.copy(bytes, 0, 2_048), undefined)
  assert.equal(pool.copy(Buffer.alloc(65_537), 0, 65_537), undefined)
})
