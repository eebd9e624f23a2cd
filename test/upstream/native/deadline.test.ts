import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { Deadline } from '../../../src/upstream/native/deadline.ts'
import { waitFor } from '../../helpers/wait.ts'

const SHORT_MS = 40

function arrange() {
  const startedMs = performance.now()
  const expiries: number[] = []
  const deadline = new Deadline(() => expiries.push(performance.now() - startedMs))
  const expired = () => waitFor(() => expiries[0], { what: 'the deadline', everyMs: 5 })
  return { deadline, expiries, expired }
}

test('it expires once, and not before its time', async () => {
  const { deadline, expiries, expired } = arrange()
  deadline.set(SHORT_MS)
  assert.ok((await expired()) >= SHORT_MS)
  await pass(2 * SHORT_MS)
  assert.equal(expiries.length, 1)
})

test('it is put off, without a word at the time that was set first', async () => {
  const { deadline, expired } = arrange()
  deadline.set(SHORT_MS)
  deadline.set(3 * SHORT_MS)
  assert.ok((await expired()) >= 3 * SHORT_MS)
})

test('it is brought forward', async () => {
  const { deadline, expired } = arrange()
  deadline.set(60_000)
  deadline.set(SHORT_MS)
  assert.ok((await expired()) < 60_000)
})

for (const { name, end } of [
  { name: 'cleared', end: (deadline: Deadline) => deadline.clear() },
  { name: 'stopped', end: (deadline: Deadline) => deadline.stop() },
  { name: 'set to 0', end: (deadline: Deadline) => deadline.set(0) },
]) {
  test(`${name} it does not expire, and can be set again`, async () => {
    const { deadline, expiries, expired } = arrange()
    deadline.set(SHORT_MS)
    end(deadline)
    await pass(3 * SHORT_MS)
    assert.equal(expiries.length, 0)
    deadline.set(SHORT_MS)
    await expired()
  })
}

test('one that is moved thousands of times makes one timer', (t) => {
  const made = t.mock.method(globalThis, 'setTimeout')
  const { deadline } = arrange()
  for (let i = 0; i < 5_000; i++) deadline.set(60_000 + (i % 7) * 1_000)
  assert.equal(made.mock.callCount(), 1)
  deadline.stop()
})
