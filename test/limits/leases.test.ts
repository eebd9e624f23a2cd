import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet, type Fleet, type FleetWorker, neededBurst, seededRandom } from './fleet.ts'

interface Load {
  readonly fleet: Fleet
  /** Who gets the next request. */
  pick(): FleetWorker
  readonly perSecond: number
  readonly forMs: number
  readonly random: () => number
}

/** Requests at random moments, as from many clients that know nothing of each other. */
async function offer({
  fleet,
  pick,
  perSecond,
  forMs,
  random,
}: Load): Promise<{ admittedAtMs: number[]; offered: number }> {
  const admittedAtMs: number[] = []
  let offered = 0
  const endMs = fleet.clock.nowMs() + forMs
  let nextMs = fleet.clock.nowMs()
  for (;;) {
    nextMs += (-Math.log(1 - random()) * 1_000) / perSecond
    if (nextMs >= endMs) break
    await fleet.clock.runUntil(nextMs)
    offered++
    const { book } = pick()
    const note = (passed: boolean) => passed && admittedAtMs.push(fleet.clock.nowMs())
    const passed = book.take(book.lease('key'), fleet.clock.nowMs())
    if (typeof passed === 'boolean') note(passed)
    else void passed.then(note)
  }
  await fleet.clock.runUntil(endMs)
  return { admittedAtMs, offered }
}

function assertWithin(actual: number, expected: number, share: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= expected * share + 1, `${what}: ${actual} where ${expected} is right`)
}

for (const workers of [1, 2, 4, 8]) {
  for (const { requests, burst, perSecond } of [
    { requests: 100, burst: 100, perSecond: 300 },
    { requests: 100, burst: 20, perSecond: 1_000 },
    { requests: 2_000, burst: 500, perSecond: 5_000 },
  ]) {
    test(`${requests}/s with a burst of ${burst} over ${workers} workers, of ${perSecond}/s`, async (t) => {
      const random = seededRandom(workers)
      const fleet = createFleet({ kind: 'rate', requests, perMs: 1_000, burst }, { workers, random })
      const members = Array.from({ length: workers }, () => fleet.join())
      const pick = () => members[Math.floor(random() * workers)] as FleetWorker
      const forMs = 5_000
      const { admittedAtMs, offered } = await offer({ fleet, pick, perSecond, forMs, random })
      const allowance = burst + (requests * forMs) / 1_000
      t.diagnostic(
        `admitted ${admittedAtMs.length} of ${offered} where ${allowance} may pass; ${fleet.messages} messages; burst ${neededBurst(admittedAtMs, requests / 1_000).toFixed(1)}`,
      )
      assertWithin(admittedAtMs.length, allowance, 0.01, 'admitted')
      // What passes comes up to two messages later than it was taken from the account.
      const slack = 1 + requests * 0.004
      assert.ok(neededBurst(admittedAtMs, requests / 1_000) <= burst + slack, 'more at once than the burst')
    })
  }
}

test('less than the limit passes whole', async (t) => {
  const random = seededRandom(5)
  const fleet = createFleet({ kind: 'rate', requests: 1_000, perMs: 1_000, burst: 100 }, { workers: 4, random })
  const members = Array.from({ length: 4 }, () => fleet.join())
  const pick = () => members[Math.floor(random() * 4)] as FleetWorker
  const { admittedAtMs, offered } = await offer({ fleet, pick, perSecond: 800, forMs: 5_000, random })
  t.diagnostic(`${fleet.messages} messages for ${offered} requests`)
  assertWithin(admittedAtMs.length, offered, 0.001, 'admitted')
  assert.ok(fleet.messages < offered / 2, `${fleet.messages} messages for ${offered} requests`)
})

test('a burst at one worker has the whole allowance, also after requests at all the others', async () => {
  const random = seededRandom(6)
  const fleet = createFleet({ kind: 'rate', requests: 100, perMs: 60_000, burst: 100 }, { workers: 8, random })
  const members = Array.from({ length: 8 }, () => fleet.join())
  const first = members[0] as FleetWorker
  let turn = 0
  const spread = await offer({
    fleet,
    pick: () => members[turn++ % 8] as FleetWorker,
    perSecond: 500,
    forMs: 80,
    random,
  })
  const burst = await offer({ fleet, pick: () => first, perSecond: 20_000, forMs: 30, random })
  const admitted = spread.admittedAtMs.length + burst.admittedAtMs.length
  assert.equal(admitted, 100)
})

test('workers that leave and come change nothing', async (t) => {
  const random = seededRandom(7)
  const fleet = createFleet({ kind: 'rate', requests: 100, perMs: 1_000, burst: 50 }, { workers: 4, random })
  const members = Array.from({ length: 4 }, () => fleet.join())
  const pick = () => members[Math.floor(random() * 4)] as FleetWorker
  for (let i = 0; i < 12; i++) {
    fleet.clock.after(i * 400 + random() * 100, () => {
      members[i % 4]?.leave()
      members[i % 4] = fleet.join()
    })
  }
  const { admittedAtMs } = await offer({ fleet, pick, perSecond: 400, forMs: 5_000, random })
  t.diagnostic(`admitted ${admittedAtMs.length} where 550 may pass`)
  assertWithin(admittedAtMs.length, 550, 0.01, 'admitted')
})

test('a worker that is killed takes at most what it held, and never gives more', async () => {
  const random = seededRandom(8)
  const fleet = createFleet({ kind: 'rate', requests: 100, perMs: 60_000, burst: 100 }, { workers: 2, random })
  const [one, two] = [fleet.join(), fleet.join()]
  const before = await offer({ fleet, pick: () => one, perSecond: 500, forMs: 60, random })
  one.kill()
  const after = await offer({ fleet, pick: () => two, perSecond: 20_000, forMs: 100, random })
  const admitted = before.admittedAtMs.length + after.admittedAtMs.length
  assert.ok(admitted <= 100, `${admitted}`)
  assert.ok(admitted > 50, `${admitted}`)
})

test('while the primary is silent each worker lets its share pass, and the key owes it', async (t) => {
  const random = seededRandom(9)
  const fleet = createFleet({ kind: 'rate', requests: 100, perMs: 1_000, burst: 20 }, { workers: 2, random })
  const members = [fleet.join(), fleet.join()]
  const pick = () => members[Math.floor(random() * 2)] as FleetWorker
  const load = { fleet, pick, perSecond: 400, random }
  const before = await offer({ ...load, forMs: 1_000 })
  fleet.isPrimaryDeaf = true
  const silent = await offer({ ...load, forMs: 2_000 })
  fleet.isPrimaryDeaf = false
  const after = await offer({ ...load, forMs: 2_000 })
  const [first, second, third] = [before, silent, after].map(({ admittedAtMs }) => admittedAtMs.length)
  t.diagnostic(`admitted ${first}, ${second} while it was silent, ${third} after`)
  assertWithin((first ?? 0) + (second ?? 0) + (third ?? 0), 520, 0.02, 'admitted')
  assert.ok((second ?? 0) > 150, 'requests passed while the primary was silent')
})

test('what was lent to a worker that fell idle comes back', async () => {
  const random = seededRandom(10)
  const fleet = createFleet({ kind: 'rate', requests: 1_000, perMs: 1_000, burst: 1_000 }, { workers: 1, random })
  const worker = fleet.join()
  await offer({ fleet, pick: () => worker, perSecond: 500, forMs: 500, random })
  await fleet.clock.runUntil(fleet.clock.nowMs() + 2_500)
  assert.equal(worker.book.size, 0)
  assert.equal(fleet.ledger.size, 0)
})

for (const workers of [1, 2, 8]) {
  test(`never more than the places are taken, and all are used, over ${workers} workers`, async (t) => {
    const random = seededRandom(workers)
    const fleet = createFleet({ kind: 'concurrency', capacity: 20 }, { workers, random })
    const members = Array.from({ length: workers }, () => fleet.join())
    let busy = 0
    let most = 0
    let served = 0
    let busyMs = 0
    const startMs = fleet.clock.nowMs()
    let lastMs = startMs
    const count = (change: number) => {
      busyMs += busy * (fleet.clock.nowMs() - lastMs)
      lastMs = fleet.clock.nowMs()
      busy += change
      most = Math.max(most, busy)
    }
    const endMs = startMs + 4_000
    for (let nextMs = startMs; nextMs < endMs; nextMs += random() * 2) {
      await fleet.clock.runUntil(nextMs)
      const { book } = members[Math.floor(random() * workers)] as FleetWorker
      const lease = book.lease('')
      const begin = (passed: boolean) => {
        if (!passed) return
        served++
        count(1)
        fleet.clock.after(random() * 100, () => {
          count(-1)
          book.release(lease)
        })
      }
      const passed = book.take(lease, nextMs)
      if (typeof passed === 'boolean') begin(passed)
      else void passed.then(begin)
    }
    await fleet.clock.runUntil(endMs)
    const meanBusy = busyMs / (lastMs - startMs)
    t.diagnostic(
      `served ${served}, at most ${most} at once, ${meanBusy.toFixed(1)} in the mean; ${fleet.messages} messages`,
    )
    assert.equal(most, 20)
    assert.ok(meanBusy > 15, `${meanBusy} of 20 places were used`)
    await fleet.clock.runUntil(endMs + 1_000)
    assert.equal(busy, 0)
    assert.equal(fleet.ledger.size, 0)
  })
}

test('the places of a worker that is killed are free again', async () => {
  const random = seededRandom(11)
  const fleet = createFleet({ kind: 'concurrency', capacity: 4 }, { workers: 2, random })
  const [one, two] = [fleet.join(), fleet.join()]
  const take = async (worker: FleetWorker, count: number) => {
    const taken = Array.from({ length: count }, () => worker.book.take(worker.book.lease(''), fleet.clock.nowMs()))
    await fleet.clock.runUntil(fleet.clock.nowMs() + 100)
    return (await Promise.all(taken)).filter((passed) => passed).length
  }
  assert.equal(await take(one, 6), 4)
  assert.equal(await take(two, 1), 0)
  one.kill()
  await fleet.clock.runUntil(fleet.clock.nowMs() + 100)
  assert.equal(await take(two, 6), 4)
})
