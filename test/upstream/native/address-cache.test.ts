import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { AddressCache, type ResolveHost } from '../../../src/upstream/native/address-cache.ts'

const FIRST: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]
const SECOND: LookupAddress[] = [
  { address: '127.0.0.2', family: 4 },
  { address: '::1', family: 6 },
]

interface Asked {
  readonly host: string
  answer(addresses: readonly LookupAddress[]): void
  fail(code: string): void
}

function arrange() {
  const asked: Asked[] = []
  const clock = { nowMs: 1_000 }
  const resolve: ResolveHost = (host, callback) => {
    asked.push({
      host,
      answer: (addresses) => callback(null, addresses),
      fail: (code) => callback(Object.assign(new Error(code), { code }), []),
    })
  }
  const cache = new AddressCache(resolve, () => clock.nowMs)
  const lookup = () =>
    new Promise<unknown>((settle) => {
      cache.lookup('a.test', { all: true }, (error, addresses) => settle(error?.code ?? addresses))
    })
  return { asked, clock, lookup }
}

test('a name is looked up once for all who ask at the same time, and for the next seconds', async () => {
  const { asked, clock, lookup } = arrange()
  const answers = [lookup(), lookup()]
  asked[0]?.answer(FIRST)
  assert.deepEqual(await Promise.all(answers), [FIRST, FIRST])
  clock.nowMs += 4_999
  assert.deepEqual(await lookup(), FIRST)
  assert.deepEqual(
    asked.map(({ host }) => host),
    ['a.test'],
  )
})

test('after that it is looked up again, and the new addresses are the ones', async () => {
  const { asked, clock, lookup } = arrange()
  const first = lookup()
  asked[0]?.answer(FIRST)
  await first
  clock.nowMs += 5_000
  const second = lookup()
  asked[1]?.answer(SECOND)
  assert.deepEqual(await second, SECOND)
})

test('a failure is told to all who wait, and not remembered', async () => {
  const { asked, lookup } = arrange()
  const answers = [lookup(), lookup()]
  asked[0]?.fail('ENOTFOUND')
  assert.deepEqual(await Promise.all(answers), ['ENOTFOUND', 'ENOTFOUND'])
  const again = lookup()
  asked[1]?.answer(FIRST)
  assert.deepEqual(await again, FIRST)
})

test('a resolver that fails leaves the last addresses in force, for a minute', async () => {
  const { asked, clock, lookup } = arrange()
  const first = lookup()
  asked[0]?.answer(FIRST)
  await first
  clock.nowMs += 59_000
  const stale = lookup()
  asked[1]?.fail('EAI_AGAIN')
  assert.deepEqual(await stale, FIRST)
  clock.nowMs += 1_000
  const late = lookup()
  asked[2]?.fail('EAI_AGAIN')
  assert.equal(await late, 'EAI_AGAIN')
})

test('a name that is gone is gone', async () => {
  const { asked, clock, lookup } = arrange()
  const first = lookup()
  asked[0]?.answer(FIRST)
  await first
  clock.nowMs += 6_000
  const second = lookup()
  asked[1]?.fail('ENOTFOUND')
  assert.equal(await second, 'ENOTFOUND')
})
