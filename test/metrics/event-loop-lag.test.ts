import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventLoopLag } from '../../src/metrics/event-loop-lag.ts'

const BLOCKED_MS = 400
const SPANS = 3

function block(): void {
  const untilMs = performance.now() + BLOCKED_MS
  while (performance.now() < untilMs);
}

test('a wait for the event loop is told, whenever it was, and forgotten after so many readings', (t) => {
  const lag = new EventLoopLag(SPANS)
  t.after(() => lag.close())
  for (let round = 0; round < 2; round++) {
    block()
    const found = lag.takeMs()
    assert.ok(found >= BLOCKED_MS - 110, `${found} ms`)
  }
})

test('a sample is taken as often as the event loop allows', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const lag = new EventLoopLag(SPANS)
  t.after(() => lag.close())
  block()
  t.mock.timers.tick(100)
  const found = lag.takeMs()
  assert.ok(found >= BLOCKED_MS - 110, `${found} ms`)
  const later = Array.from({ length: SPANS }, () => lag.takeMs())
  assert.equal(later[0], found)
  assert.ok((later.at(-1) ?? 0) < found, `${later}`)
})
