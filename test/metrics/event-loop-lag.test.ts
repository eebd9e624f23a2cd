import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { EventLoopLag } from '../../src/metrics/event-loop-lag.ts'
import { waitFor } from '../helpers/wait.ts'

const BLOCKED_MS = 400

test('a wait for the event loop is told, and forgotten after so many readings', async (t) => {
  const lag = new EventLoopLag(3)
  t.after(() => lag.close())
  await delay(1)
  const found = await waitFor(
    async () => {
      const untilMs = performance.now() + BLOCKED_MS
      while (performance.now() < untilMs);
      await delay(1)
      const lagMs = lag.takeMs()
      return lagMs > BLOCKED_MS / 2 && lagMs
    },
    { what: 'the lag to show' },
  )
  assert.ok(found < 20_000, `${found} ms`)
  assert.equal(lag.takeMs() >= found, true)
  assert.equal(lag.takeMs() >= found, true)
  await waitFor(() => lag.takeMs() < found, { what: 'the peak to be forgotten' })
})
