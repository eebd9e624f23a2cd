import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USUAL_PASSIVE_HEALTH as USUAL } from '../../src/config/health-config.ts'
import { countAnswer, countConnectionFailure } from '../../src/health/circuit.ts'
import { createTrouble } from '../../src/health/trouble.ts'

const POLICY = { ...USUAL, failures: 3, ejectMs: 5_000 }

/** `x`: a connection fails; `o`: an answer comes; `X`, `O`: the same to the probe. */
for (const { name, events, opened } of [
  { name: 'one failure less leaves it closed', events: 'xx', opened: [] },
  { name: 'as many in a row open it', events: 'xxx', opened: [1_000] },
  { name: 'an answer breaks the row', events: 'xxoxx', opened: [] },
  { name: 'failures that were under way change nothing', events: 'xxxxxx', opened: [1_000] },
  { name: 'each failed probe doubles the wait, up to the ejection', events: 'xxxXXXXX', opened: [1, 2, 4, 5, 5, 5] },
  { name: 'an answered probe closes it', events: 'xxxXOxx', opened: [1, 2] },
  { name: 'after that it takes the whole row again', events: 'xxxOxxx', opened: [1, 1] },
  { name: 'an answer that was under way does not close it', events: 'xxxoX', opened: [1, 2] },
]) {
  test(name, () => {
    const trouble = createTrouble()
    const openMs = [...events].flatMap((event) => {
      const isProbe = event === event.toUpperCase()
      if (event.toLowerCase() === 'x') return countConnectionFailure(trouble, POLICY, isProbe) ?? []
      assert.equal(countAnswer(trouble, isProbe), isProbe)
      return []
    })
    assert.deepEqual(
      openMs,
      opened.map((ms) => (ms < 1_000 ? ms * 1_000 : ms)),
    )
  })
}

test('a wait is never shorter than the first one', () => {
  const trouble = createTrouble()
  assert.equal(countConnectionFailure(trouble, { ...POLICY, failures: 1, ejectMs: 10 }, false), 1_000)
})
