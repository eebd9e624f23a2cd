import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { USUAL_PASSIVE_HEALTH as USUAL } from '../../src/config/health-config.ts'
import { countFailure, mayEject, prolongEjection } from '../../src/health/ejection.ts'
import { createTrouble } from '../../src/health/trouble.ts'

for (const { name, config, atMs, reached } of [
  { name: 'one failure less is not enough', config: { failures: 3 }, atMs: [0, 1], reached: [] },
  { name: 'the last of them ejects', config: { failures: 3 }, atMs: [0, 1, 2], reached: [2] },
  { name: 'a single one may be enough', config: { failures: 1 }, atMs: [0, 1], reached: [0, 1] },
  { name: 'those before the window do not count', config: { failures: 3 }, atMs: [0, 5_000, 10_000], reached: [] },
  { name: 'the window slides', config: { failures: 3 }, atMs: [0, 9_000, 10_000, 11_000], reached: [11_000] },
  { name: 'the count begins anew', config: { failures: 2 }, atMs: [0, 1, 2, 3, 4], reached: [1, 3] },
]) {
  test(name, () => {
    const trouble = createTrouble()
    const policy = { ...USUAL, ...config }
    assert.deepEqual(
      atMs.filter((ms) => countFailure(trouble, policy, ms)),
      reached,
    )
  })
}

test('an ejection needs as many failures within the window as the settings say', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 60 }),
      (failures, gaps) => {
        const policy = { ...USUAL, failures, windowMs: 10_000 }
        const trouble = createTrouble()
        let nowMs = 0
        let counted: number[] = []
        for (const gap of gaps) {
          nowMs += gap
          counted.push(nowMs)
          const isDue = counted.filter((ms) => ms > nowMs - 10_000).length >= failures
          assert.equal(countFailure(trouble, policy, nowMs), isDue)
          if (isDue) counted = []
          assert.ok(trouble.failedAtMs.length <= failures)
        }
      },
    ),
  )
})

test('each ejection that follows closely is longer, up to ten times', () => {
  const trouble = createTrouble()
  const lasted: number[] = []
  let overAtMs = 0
  for (let n = 0; n < 12; n++) {
    const nowMs = overAtMs + 1_000
    overAtMs = prolongEjection(trouble, USUAL, overAtMs, nowMs)
    lasted.push((overAtMs - nowMs) / 1_000)
  }
  assert.deepEqual(lasted, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300])
})

test('quiet times make up for ejections', () => {
  const trouble = { ...createTrouble(), ejections: 5 }
  assert.equal(prolongEjection(trouble, USUAL, 0, 60_000), 60_000 + 4 * 30_000)
  assert.equal(prolongEjection(trouble, USUAL, 200_000, 10_000_000), 10_000_000 + 30_000)
})

for (const [total, share, most] of [
  [1, 0.5, 0],
  [1, 1, 1],
  [2, 0.5, 1],
  [3, 0.5, 1],
  [4, 0.5, 2],
  [10, 0.7, 7],
  [100, 0.29, 29],
  [5, 0, 0],
] as const) {
  test(`of ${total} backends at most ${most} are ejected where ${share * 100} % may be`, () => {
    const policy = { ...USUAL, maxEjected: share }
    let ejected = 0
    while (mayEject(ejected, total, policy)) ejected++
    assert.equal(ejected, most)
  })
}
