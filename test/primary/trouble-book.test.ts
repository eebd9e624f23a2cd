import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackendTrouble } from '../../src/ipc/health-messages.ts'
import { TroubleBook } from '../../src/primary/trouble-book.ts'

const CALM: BackendTrouble = { key: 'a', ejectedForMs: 0, ejections: 0, openForMs: 0, openings: 0, why: '' }
const EJECTED: BackendTrouble = { ...CALM, ejectedForMs: 30_000, ejections: 2, why: 'status 503' }
const OPEN: BackendTrouble = { ...CALM, openForMs: 2_000, openings: 2, why: 'connect_failed' }

function stage() {
  const clock = { ms: 0 }
  return { clock, book: new TroubleBook(() => clock.ms) }
}

test('an ejection is over when its time is', () => {
  const { clock, book } = stage()
  book.note(1, EJECTED)
  clock.ms = 10_000
  assert.deepEqual(book.sum('a'), { ...EJECTED, ejectedForMs: 20_000, ejectedBy: 1, openIn: 0 })
  clock.ms = 30_000
  assert.equal(book.sum('a'), undefined)
  assert.deepEqual(book.list(), [])
})

test('the longest of several workers counts', () => {
  const { clock, book } = stage()
  book.note(1, EJECTED)
  clock.ms = 1_000
  book.note(2, { ...EJECTED, ejections: 1 })
  book.note(3, OPEN)
  assert.deepEqual(book.sum('a'), {
    key: 'a',
    ejectedForMs: 30_000,
    ejections: 2,
    openForMs: 2_000,
    openings: 2,
    why: 'connect_failed',
    ejectedBy: 2,
    openIn: 1,
  })
})

test('a circuit is open until its worker says something else', () => {
  const { clock, book } = stage()
  book.note(1, OPEN)
  clock.ms = 10_000
  assert.deepEqual([book.sum('a')?.openForMs, book.sum('a')?.openings], [0, 2])
  book.note(1, CALM)
  assert.equal(book.sum('a'), undefined)
})

test('what a worker that is gone said of a circuit does not last for ever', () => {
  const { clock, book } = stage()
  book.note(1, OPEN)
  clock.ms = 61_999
  assert.equal(book.list().length, 1)
  clock.ms = 62_000
  assert.deepEqual(book.list(), [])
})

test('backends that are up again, or gone, are forgotten', () => {
  const { book } = stage()
  for (const key of ['a', 'b', 'c']) book.note(1, { ...EJECTED, key })
  book.forget('a')
  book.keep(new Set(['a', 'b']))
  assert.deepEqual(
    book.list().map(({ key }) => key),
    ['b'],
  )
})
