import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RESTART_POLICY, restartWaitMs } from '../../src/primary/restart-policy.ts'

for (const { deaths, waitMs } of [
  { deaths: 1, waitMs: 0 },
  { deaths: 2, waitMs: 100 },
  { deaths: 3, waitMs: 200 },
  { deaths: 4, waitMs: 400 },
  { deaths: 10, waitMs: 25_600 },
  { deaths: 11, waitMs: 30_000 },
  { deaths: 5_000, waitMs: 30_000 },
]) {
  test(`after ${deaths} deaths in a row the next worker waits ${waitMs} ms`, () => {
    assert.equal(restartWaitMs(deaths, RESTART_POLICY), waitMs)
  })
}
