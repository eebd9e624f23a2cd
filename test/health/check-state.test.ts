import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCheckState, noteCheck } from '../../src/health/check-state.ts'

/** `o`: a good check, `x`: a failed one; what the backend is after each. */
for (const { name, thresholds, checks, states } of [
  { name: 'it is up until it was checked', thresholds: [2, 3], checks: 'o', states: 'U' },
  { name: 'the third failure in a row brings it down', thresholds: [2, 3], checks: 'xxx', states: 'UUD' },
  { name: 'a good check breaks the row', thresholds: [2, 3], checks: 'xxoxxx', states: 'UUUUUD' },
  { name: 'the second good check brings it up', thresholds: [2, 3], checks: 'xxxoo', states: 'UUDDU' },
  { name: 'a failure breaks that row', thresholds: [2, 3], checks: 'xxxoxoo', states: 'UUDDDDU' },
  { name: 'a threshold of 1 follows every check', thresholds: [1, 1], checks: 'xoxo', states: 'DUDU' },
]) {
  test(name, () => {
    const [healthy = 1, unhealthy = 1] = thresholds
    const state = createCheckState()
    const seen = [...checks].map((check) => {
      noteCheck(state, check === 'o', { healthy, unhealthy })
      return state.isUp ? 'U' : 'D'
    })
    assert.equal(seen.join(''), states)
  })
}

test('a change is told once, and only after as many checks in a row as it takes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 100 }),
      (healthy, unhealthy, checks) => {
        const state = createCheckState()
        let wasUp = true
        for (const [i, ok] of checks.entries()) {
          const isTold = noteCheck(state, ok, { healthy, unhealthy })
          assert.equal(isTold, state.isUp !== wasUp)
          if (!isTold) continue
          const row = checks.slice(i + 1 - (ok ? healthy : unhealthy), i + 1)
          assert.equal(row.length, ok ? healthy : unhealthy)
          assert.ok(row.every((one) => one === ok))
          wasUp = state.isUp
        }
      },
    ),
  )
})
