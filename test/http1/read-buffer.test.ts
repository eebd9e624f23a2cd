import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadBuffer } from '../../src/http1/read-buffer.ts'

const SIZE = 65_536
const SMALL = 100
const LARGE = 40_000

test('what is taken from the buffer that all share is a copy', () => {
  const home = Buffer.alloc(SIZE, 'a')
  const buffer = new ReadBuffer(home)
  const taken = buffer.take(buffer.current, 10, 20)
  home.fill('b')
  assert.equal(taken.toString(), 'a'.repeat(10))
})

test('reads of a body in bulk go to memory of their own, and what is taken from it is no copy', () => {
  const home = Buffer.alloc(SIZE)
  const buffer = new ReadBuffer(home)
  const own = buffer.turn(LARGE, true, false)
  assert.notEqual(own, home)
  const taken = buffer.take(own, 0, LARGE)
  assert.equal(taken.buffer, own.buffer)
  const next = buffer.turn(LARGE, true, false)
  assert.notEqual(next.buffer, own.buffer, 'it is not read into while somebody has it')
})

test('memory that nobody needs any more is read into again', () => {
  const buffer = new ReadBuffer(Buffer.alloc(SIZE))
  const own = buffer.turn(LARGE, true, false)
  buffer.take(own, 0, LARGE)
  assert.equal(buffer.turn(LARGE, true, true), own)
  assert.equal(buffer.turn(LARGE, true, false), own, 'nothing of it was taken since')
})

test('a small part of a large buffer is copied rather than holding all of it', () => {
  const buffer = new ReadBuffer(Buffer.alloc(SIZE))
  const own = buffer.turn(LARGE, true, false)
  assert.notEqual(buffer.take(own, 0, SMALL).buffer, own.buffer)
  assert.equal(buffer.turn(LARGE, true, false), own)
})

test('after a small read, or the end of a body, no memory is held', () => {
  const home = Buffer.alloc(SIZE)
  const buffer = new ReadBuffer(home)
  for (const [readBytes, isInBody] of [
    [SMALL, true],
    [LARGE, false],
  ] as const) {
    assert.notEqual(buffer.turn(LARGE, true, false), home)
    assert.equal(buffer.turn(readBytes, isInBody, false), home)
  }
})
