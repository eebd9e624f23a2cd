import assert from 'node:assert/strict'
import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { TunnelSet } from '../../src/proxy/tunnel-set.ts'
import { closeFrame } from '../../src/proxy/websocket-frames.ts'
import { fakeTimers } from './fake-timers.ts'
import { open, spliceWebSockets } from './tunnel-harness.ts'

const CLOSE = closeFrame(1001, { mask: false })

/** A tunnel in memory whose client answers Close, or does not. */
function openInMemory(tunnels: TunnelSet, { answers }: { readonly answers: boolean }) {
  const [client, nearClient] = duplexPair()
  const [backend, nearBackend] = duplexPair()
  const told: Buffer[] = []
  client.on('data', (chunk: Buffer) => {
    told.push(chunk)
    if (answers) client.end(closeFrame(1001, { mask: true }))
  })
  backend.on('data', () => {
    if (answers) backend.end(CLOSE)
  })
  return { told, ...open({ client: nearClient, backend: nearBackend }, (options) => tunnels.open(options)) }
}

test('the set holds a tunnel from its opening until its sockets are closed', async () => {
  const tunnels = new TunnelSet()
  const sizes: number[] = []
  const first = openInMemory(tunnels, { answers: true })
  const second = openInMemory(tunnels, { answers: true })
  assert.equal(tunnels.size, 2)
  first.tunnel.destroy('closed')
  await first.closed
  sizes.push(tunnels.size)
  second.tunnel.destroy('closed')
  await second.closed
  assert.deepEqual([...sizes, tunnels.size], [1, 0])
})

test('a drain of an empty set is over', async () => {
  assert.equal(await new TunnelSet().drain({ deadlineMs: 60_000 }), 0)
})

test('a drain ends WebSockets with a clean 1001 on both sides, and cuts none', async (t) => {
  const tunnels = new TunnelSet()
  const pairs = await Promise.all(
    Array.from({ length: 5 }, () => spliceWebSockets(t, { open: (options) => tunnels.open(options) })),
  )
  const codes = Promise.all(pairs.flatMap(({ client, backend }) => [once(client, 'close'), once(backend, 'close')]))
  assert.equal(await tunnels.drain({ deadlineMs: 60_000 }), 0)
  assert.deepEqual([...new Set((await codes).map(([code]) => code))], [1001])
  assert.equal(tunnels.size, 0)
})

test('what does not end is cut at the deadline, and counted', async (t) => {
  const timers = fakeTimers(t)
  const tunnels = new TunnelSet(() => timers.nowMs())
  const stubborn = [openInMemory(tunnels, { answers: false }), openInMemory(tunnels, { answers: false })]
  const willing = openInMemory(tunnels, { answers: true })
  const drained = tunnels.drain({ deadlineMs: 1_500, spreadMs: 0 })
  assert.equal((await willing.closed).reason, 'draining')
  timers.tick(1_499)
  await turns()
  assert.equal(tunnels.size, 2)
  timers.tick(1)
  assert.equal(await drained, 2)
  for (const { closed } of stubborn) assert.equal((await closed).reason, 'draining')
})

test('a deadline of zero tells every tunnel and cuts it', async () => {
  const tunnels = new TunnelSet()
  const opened = Array.from({ length: 3 }, () => openInMemory(tunnels, { answers: false }))
  assert.equal(await tunnels.drain({ deadlineMs: 0 }), 3)
  for (const { told } of opened) assert.deepEqual(Buffer.concat(told), CLOSE)
})

test('the tunnels are told one after another, evenly over the spread, the first at once', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 100, max: 20_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      async (count, spreadMs, deadlineMs) => {
        const timers = fakeTimers(t)
        const tunnels = new TunnelSet(() => timers.nowMs())
        let told = 0
        const opened = Array.from({ length: count }, () => openInMemory(tunnels, { answers: false }))
        for (const { tunnel } of opened) {
          t.mock.method(tunnel, 'close', () => {
            told += 1
          })
        }
        const drained = tunnels.drain({ deadlineMs, spreadMs })
        const effectiveMs = Math.min(spreadMs, deadlineMs * 0.8)
        assert.ok(told >= 1)
        for (let step = 1; step <= 20; step++) {
          timers.tick(effectiveMs / 20)
          const due = (count * step) / 20
          // One tick of the ticker late at most, and never early.
          const late = Math.max(1, (count * 10) / effectiveMs)
          assert.ok(told >= Math.min(count, due) - late - 1 && told <= due + 1, `${told} of ${count} told, ${due} due`)
        }
        timers.tick(20)
        assert.equal(told, count)
        timers.tick(60_000)
        assert.equal(await drained, count)
        t.mock.restoreAll()
      },
    ),
    { numRuns: 30 },
  )
})

test('without a spread each tunnel takes ten milliseconds, but never more than 80 % of the deadline', async (t) => {
  for (const { count, deadlineMs, lastMs } of [
    { count: 1, deadlineMs: 300_000, lastMs: 0 },
    { count: 10, deadlineMs: 300_000, lastMs: 90 },
    { count: 200, deadlineMs: 1_000, lastMs: 800 },
  ]) {
    const timers = fakeTimers(t)
    const tunnels = new TunnelSet(() => timers.nowMs())
    let told = 0
    for (let i = 0; i < count; i++) {
      t.mock.method(openInMemory(tunnels, { answers: false }).tunnel, 'close', () => {
        told += 1
      })
    }
    const drained = tunnels.drain({ deadlineMs })
    if (lastMs > 0) {
      timers.tick(lastMs - 20)
      assert.ok(told < count, `${told} of ${count} told early`)
      timers.tick(20)
    }
    assert.equal(told, count)
    timers.tick(deadlineMs)
    assert.equal(await drained, count)
    t.mock.restoreAll()
  }
})

test('a tunnel that is opened while the set drains is sent away at once', async () => {
  const tunnels = new TunnelSet()
  openInMemory(tunnels, { answers: true })
  const drained = tunnels.drain({ deadlineMs: 60_000 })
  const late = openInMemory(tunnels, { answers: true })
  assert.equal((await late.closed).reason, 'draining')
  assert.equal(await drained, 0)
  const afterwards = openInMemory(tunnels, { answers: true })
  assert.equal((await afterwards.closed).reason, 'draining')
})

test('a second drain may set an earlier end', async (t) => {
  const timers = fakeTimers(t)
  const tunnels = new TunnelSet(() => timers.nowMs())
  const { closed } = openInMemory(tunnels, { answers: false })
  const patient = tunnels.drain({ deadlineMs: 300_000 })
  const impatient = tunnels.drain({ deadlineMs: 0 })
  timers.tick(0)
  assert.deepEqual(await Promise.all([patient, impatient]), [0, 1])
  assert.equal((await closed).reason, 'draining')
})

test('a drain keeps only the timers that it still needs, and none in the end', async (t) => {
  const timers = fakeTimers(t)
  const tunnels = new TunnelSet(() => timers.nowMs())
  const before = [0, 1, 2].map(() => openInMemory(tunnels, { answers: false }))
  const drained = tunnels.drain({ deadlineMs: 60_000, spreadMs: 30_000 })
  assert.ok(timers.count() > 1)
  for (const { tunnel } of before) tunnel.destroy('closed')
  assert.equal(await drained, 0)
  assert.equal(timers.count(), 0)

  const later = openInMemory(tunnels, { answers: false })
  const waiting = tunnels.drain({ deadlineMs: 60_000, spreadMs: 30_000 })
  timers.tick(1_000)
  assert.equal(timers.count(), 2, 'the deadline, and the tunnel that waits for its answer')
  later.tunnel.destroy('closed')
  await waiting
  assert.equal(timers.count(), 0)
})

test('a deadline longer than a timer of Node can be does not cut at once', async (t) => {
  const warnings: unknown[] = []
  const note = (warning: unknown) => warnings.push(warning)
  process.on('warning', note)
  t.after(() => void process.off('warning', note))
  const tunnels = new TunnelSet()
  openInMemory(tunnels, { answers: true })
  openInMemory(tunnels, { answers: true })
  assert.equal(await tunnels.drain({ deadlineMs: 2 ** 31 }), 0)
  assert.deepEqual(warnings, [])
})

/** Lets streams in memory do what they have queued. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}
