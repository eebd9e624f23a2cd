import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBeatWatch } from '../../src/primary/beat-watch.ts'
import { waitFor } from '../helpers/wait.ts'

test('silence is told once the deadline is over, beats put it off, and a stop ends it', async (t) => {
  const told = { beating: 0, silent: 0, stopped: 0 }
  const beating = createBeatWatch(200, () => told.beating++)
  const silent = createBeatWatch(200, () => told.silent++)
  const stopped = createBeatWatch(200, () => told.stopped++)
  for (const watch of [beating, silent, stopped]) watch.start()
  stopped.stop()
  const timer = setInterval(() => beating.beat(), 10)
  t.after(() => {
    clearInterval(timer)
    beating.stop()
  })
  await waitFor(() => told.silent === 1, { what: 'the silence' })
  assert.deepEqual(told, { beating: 0, silent: 1, stopped: 0 })
})

test('a standstill of this process is not taken for silence of the other', async (t) => {
  let silences = 0
  const watch = createBeatWatch(300, () => silences++)
  t.after(() => watch.stop())
  watch.start()
  // Nothing is read meanwhile, beats neither.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
  await new Promise((resolve) => setTimeout(resolve, 0))
  assert.equal(silences, 0)
  await waitFor(() => silences === 1, { what: 'real silence' })
})
