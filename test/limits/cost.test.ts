import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LimitLedger } from '../../src/limits/ledger.ts'
import { LimitClient, SYSTEM_CLOCK } from '../../src/limits/limit-client.ts'

const REQUESTS = 100_000
/** Of one turn of the event loop. */
const BATCH = 50
/** Many times what it takes, for a machine that is slow and busy. */
const MOST_MICROSECONDS = 20

test('a request with room in its limit is decided in a moment, and nobody is asked for it', async (t) => {
  const ledger = new LimitLedger()
  let messages = 0
  const client: LimitClient = new LimitClient({
    clock: SYSTEM_CLOCK,
    send(asks) {
      messages++
      queueMicrotask(() => ledger.receive({ send: (replies) => client.receive(replies) }, asks, performance.now()))
    },
  })
  const book = client.open('limit', { kind: 'rate', requests: 1_000_000, perMs: 1_000, burst: 1_000_000 }, 1)
  let passed = 0
  const startedUs = process.cpuUsage()
  for (let i = 0; i < REQUESTS; i++) {
    if (await book.take(book.lease('key'), performance.now())) passed++
    if (i % BATCH === 0) await turn()
  }
  const { user, system } = process.cpuUsage(startedUs)
  const eachUs = (user + system) / REQUESTS
  t.diagnostic(`${eachUs.toFixed(2)} µs of CPU and ${(messages / REQUESTS).toFixed(4)} messages for a request`)
  assert.equal(passed, REQUESTS)
  assert.ok(messages < REQUESTS / 100, `${messages} messages`)
  assert.ok(eachUs < MOST_MICROSECONDS, `${eachUs} µs`)
  client.close()
})
