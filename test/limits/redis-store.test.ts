import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RateLimitConfig } from '../../src/config/limits-config.ts'
import type { Allowance, RateStore } from '../../src/limits/rate-store.ts'
import { RedisLink } from '../../src/limits/redis-link.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import { findClosedPort } from '../helpers/backends.ts'
import { NEEDS_REDIS, startRedis, type TestRedis } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'

const LIMIT: RateLimitConfig = {
  requests: 10,
  perMs: 60_000,
  burst: 5,
  key: { kind: 'ip' },
  dryRun: false,
  store: 'redis',
}

/** Lets everything pass, and counts it. */
function createLocal(): RateStore & { readonly taken: string[] } {
  const taken: string[] = []
  return {
    taken,
    take(key) {
      taken.push(key)
      return { passed: true, remaining: 1, waitMs: 0, fullMs: 0 }
    },
    refund() {},
  }
}

function connect(t: TestContext, { port }: { port: number }, timeoutMs = 1_000) {
  const events: string[] = []
  const link = new RedisLink(
    { url: `redis://127.0.0.1:${port}`, password: undefined, prefix: 'test:', timeoutMs },
    { found: () => events.push('found'), lost: () => events.push('lost') },
  )
  t.after(() => link.close())
  return { link, events, isUp: () => waitFor(() => link.isUp, { what: 'redis to be found' }) }
}

const take = async (store: RateStore, key = 'k'): Promise<Allowance> => store.take(key, performance.now())

async function countPassed(store: RateStore, count: number, key = 'k'): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, () => take(store, key)))
  return all.filter(({ passed }) => passed).length
}

test('two machines share one allowance', NEEDS_REDIS, async (t) => {
  const redis = await startRedis(t)
  const [one, two] = [connect(t, redis), connect(t, redis)]
  await one.isUp()
  await two.isUp()
  const local = createLocal()
  const stores = [one, two].map(({ link }) => createRedisStore('limit', LIMIT, link, local))
  const counts = await Promise.all(stores.map((store) => countPassed(store, 20)))
  assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 5)
  assert.deepEqual(local.taken, [])
})

test('it is a bucket that fills evenly, as in memory', NEEDS_REDIS, async (t) => {
  const { link, isUp } = connect(t, await startRedis(t))
  await isUp()
  const store = createRedisStore('limit', { ...LIMIT, requests: 10, perMs: 1_000, burst: 3 }, link, createLocal())
  const startedMs = performance.now()
  const first = await take(store)
  assert.deepEqual([first.passed, first.remaining], [true, 2])
  assert.ok(first.fullMs > 80 && first.fullMs <= 100, `${first.fullMs}`)
  let passed = 1
  await waitFor(
    async () => {
      if ((await take(store)).passed) passed++
      return performance.now() - startedMs > 2_000
    },
    { what: 'two seconds', everyMs: 10 },
  )
  const allowance = 3 + ((performance.now() - startedMs) * 10) / 1_000
  assert.ok(passed <= allowance + 1 && passed >= allowance * 0.9 - 1, `${passed} where ${allowance} may pass`)
})

test('a refusal says when to come again, and is known here until then', NEEDS_REDIS, async (t) => {
  const redis = await startRedis(t)
  const { link, isUp } = connect(t, redis)
  await isUp()
  const store = createRedisStore('limit', LIMIT, link, createLocal())
  await countPassed(store, 6)
  const refused = store.take('k', performance.now())
  assert.ok(!(refused instanceof Promise), 'redis was asked again')
  assert.equal(refused.passed, false)
  assert.ok(refused.waitMs > 5_000 && refused.waitMs <= 6_000, `${refused.waitMs}`)
})

test('what was refused elsewhere is given back', NEEDS_REDIS, async (t) => {
  const { link, isUp } = connect(t, await startRedis(t))
  await isUp()
  const store = createRedisStore('limit', LIMIT, link, createLocal())
  assert.equal(await countPassed(store, 4), 4)
  store.refund('k')
  assert.equal(await countPassed(store, 4), 2)
})

test('limits and keys are each their own', NEEDS_REDIS, async (t) => {
  const { link, isUp } = connect(t, await startRedis(t))
  await isUp()
  const fast = createRedisStore('fast', { ...LIMIT, burst: 9 }, link, createLocal())
  const slow = createRedisStore('slow', LIMIT, link, createLocal())
  assert.deepEqual(
    [await countPassed(fast, 20), await countPassed(slow, 20), await countPassed(slow, 20, '=other')],
    [9, 5, 5],
  )
})

test('a redis that is killed costs no request its time, and is used again when it is back', NEEDS_REDIS, async (t) => {
  const redis = await startRedis(t)
  const { link, events, isUp } = connect(t, redis)
  await isUp()
  const local = createLocal()
  const store = createRedisStore('limit', LIMIT, link, local)
  assert.equal(await countPassed(store, 9), 5)
  await redis.kill()
  await waitFor(() => !link.isUp, { what: 'redis to be missed' })
  const startedMs = performance.now()
  for (let i = 0; i < 1_000; i++) assert.ok(!(store.take('k', performance.now()) instanceof Promise))
  t.diagnostic(`1000 requests while redis was away took ${Math.round(performance.now() - startedMs)} ms`)
  assert.equal(local.taken.length, 1_000)
  await redis.start()
  await isUp()
  assert.equal(await countPassed(store, 9, 'other'), 5)
  assert.equal(local.taken.length, 1_000)
  assert.deepEqual(events, ['found', 'lost', 'found'])
})

test('a redis that hangs holds up only the requests that ask it first', NEEDS_REDIS, async (t) => {
  const redis = await startRedis(t)
  const { link, isUp } = connect(t, redis, 100)
  await isUp()
  const local = createLocal()
  const store = createRedisStore('limit', LIMIT, link, local)
  await take(store)
  redis.freeze()
  t.after(redis.thaw)
  const startedMs = performance.now()
  assert.equal((await take(store)).passed, true)
  t.diagnostic(`the first request waited ${Math.round(performance.now() - startedMs)} ms`)
  assert.deepEqual(local.taken, ['k'])
  assert.ok(!(store.take('k', performance.now()) instanceof Promise))
  redis.thaw()
  await isUp()
  assert.equal((await take(store, 'other')).remaining, 4)
})

test('without any redis everything is counted here, and that is said once', async (t) => {
  const { link, events } = connect(t, { port: await findClosedPort() })
  const local = createLocal()
  const store = createRedisStore('limit', LIMIT, link, local)
  assert.ok(!(store.take('k', performance.now()) instanceof Promise))
  await waitFor(() => events.length > 0, { what: 'the loss to be told' })
  assert.deepEqual(events, ['lost'])
})

test('what a client sends in a header is not what redis sees', NEEDS_REDIS, async (t) => {
  const redis: TestRedis = await startRedis(t)
  const { link, isUp } = connect(t, redis)
  await isUp()
  await take(createRedisStore('limit', LIMIT, link, createLocal()), '=secret')
  const { Redis } = await import('ioredis')
  const client = new Redis(redis.url)
  t.after(() => client.disconnect())
  const keys = await client.keys('*')
  assert.equal(keys.length, 1)
  assert.match(keys[0] ?? '', /^test:limit:=[\w-]{43}$/)
})
