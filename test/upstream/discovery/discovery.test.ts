import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MemberConfig } from '../../../src/config/config.ts'
import type { Discovered } from '../../../src/upstream/discovery/discovered.ts'
import { Discovery } from '../../../src/upstream/discovery/discovery.ts'
import type { FoundAddresses, NameResolver } from '../../../src/upstream/discovery/name-resolver.ts'

function memberOf(host: string): MemberConfig {
  return { host, port: 80, tls: undefined, weight: 1, backup: false, discovery: 'addresses' }
}

/** A discovery on a clock that the test moves, with answers that the test gives. */
function stage(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const answers = new Map<string, readonly string[] | Error | Promise<FoundAddresses>>()
  const told: string[] = []
  let lookups = 0
  const resolver: NameResolver = {
    isPrivate: false,
    async findAddresses(host) {
      lookups++
      const answer = answers.get(host) ?? []
      if (answer instanceof Error) throw answer
      return answer instanceof Promise ? answer : { addresses: answer, ttlMs: 7_000 }
    },
    findService: async () => ({ records: [], ttlMs: 7_000 }),
  }
  const discovery = new Discovery(resolver, {
    changed: (found: Discovered) => told.push(JSON.stringify(found.addresses)),
    lost: (name, error) => told.push(`lost ${name}${error === undefined ? '' : ' for now'}`),
    regained: (name) => told.push(`regained ${name}`),
  })
  t.after(() => discovery.close())
  /** Lets time pass, and what is due then be done. */
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms)
    for (let n = 0; n < 10; n++) await Promise.resolve()
  }
  return { answers, told, discovery, pass, lookups: () => lookups }
}

test('a name is looked up again when its time is over, and told when it changed', async (t) => {
  const { answers, told, discovery, pass, lookups } = stage(t)
  answers.set('a.test', ['10.0.0.1'])
  await discovery.watch([memberOf('a.test'), memberOf('a.test')], 1_000)
  assert.deepEqual(told, ['{"a.test":["10.0.0.1"]}'])
  await pass(6_999)
  assert.equal(lookups(), 1)
  await pass(1)
  assert.equal(lookups(), 2)
  assert.equal(told.length, 1)
  answers.set('a.test', ['10.0.0.1', '10.0.0.2'])
  await pass(7_000)
  assert.equal(told.at(-1), '{"a.test":["10.0.0.1","10.0.0.2"]}')
})

test('a name that does not exist is told once, and again when it is back', async (t) => {
  const { answers, told, discovery, pass } = stage(t)
  await discovery.watch([memberOf('a.test')], 1_000)
  await pass(5_000)
  await pass(5_000)
  answers.set('a.test', ['10.0.0.1'])
  await pass(5_000)
  assert.deepEqual(told, ['lost a.test', '{"a.test":[]}', 'regained a.test', '{"a.test":["10.0.0.1"]}'])
})

test('a name server that is away changes nothing', async (t) => {
  const { answers, told, discovery, pass } = stage(t)
  answers.set('a.test', ['10.0.0.1', '10.0.0.2'])
  await discovery.watch([memberOf('a.test')], 1_000)
  answers.set('a.test', new Error('timeout'))
  await pass(7_000)
  await pass(5_000)
  assert.deepEqual(told, ['{"a.test":["10.0.0.1","10.0.0.2"]}', 'lost a.test for now'])
  assert.deepEqual(discovery.found.addresses, { 'a.test': ['10.0.0.1', '10.0.0.2'] })
})

test('one slow name does not hold up the start, and is told when it is found', async (t) => {
  const { answers, told, discovery, pass } = stage(t)
  const slow = Promise.withResolvers<FoundAddresses>()
  answers.set('slow.test', slow.promise)
  answers.set('a.test', ['10.0.0.1'])
  const watched = discovery.watch([memberOf('slow.test'), memberOf('a.test')], 1_000)
  await pass(1_000)
  await watched
  assert.deepEqual(told, ['{"a.test":["10.0.0.1"]}'])
  slow.resolve({ addresses: ['10.0.0.9'], ttlMs: 7_000 })
  await pass(0)
  assert.deepEqual(discovery.found.addresses['slow.test'], ['10.0.0.9'])
})

test('a name that no configuration has is not asked for any more', async (t) => {
  const { answers, discovery, pass, lookups } = stage(t)
  answers.set('a.test', ['10.0.0.1'])
  answers.set('b.test', ['10.0.0.2'])
  await discovery.watch([memberOf('a.test'), memberOf('b.test')], 1_000)
  discovery.retain([memberOf('b.test')])
  assert.deepEqual(discovery.found.addresses, { 'b.test': ['10.0.0.2'] })
  await pass(7_000)
  assert.equal(lookups(), 3)
})
