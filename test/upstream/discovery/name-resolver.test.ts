import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findName } from '../../../src/upstream/discovery/name-finding.ts'
import { createNameResolver } from '../../../src/upstream/discovery/name-resolver.ts'
import { startNameServer } from '../../helpers/name-server.ts'

test('a name server tells addresses of both families, and how long they hold', async (t) => {
  const { address } = await startNameServer(t, {
    'a.test': { ttl: 30, addresses: ['10.0.0.2', 'fd00::1', '10.0.0.1'] },
  })
  const resolver = createNameResolver([address])
  assert.deepEqual(await resolver.findAddresses('a.test'), {
    addresses: ['10.0.0.1', '10.0.0.2', 'fd00::1'],
    ttlMs: 30_000,
  })
})

for (const { ttl, ttlMs } of [
  { ttl: 0, ttlMs: 1_000 },
  { ttl: 86_400, ttlMs: 300_000 },
]) {
  test(`a time to live of ${ttl} s counts as ${ttlMs} ms`, async (t) => {
    const { address } = await startNameServer(t, { 'a.test': { ttl, addresses: ['10.0.0.1'] } })
    assert.equal((await createNameResolver([address]).findAddresses('a.test')).ttlMs, ttlMs)
  })
}

test('a name that does not exist, or has no address, has none', async (t) => {
  const { address } = await startNameServer(t, { 'empty.test': {} })
  const resolver = createNameResolver([address])
  for (const name of ['none.test', 'empty.test']) {
    assert.deepEqual((await resolver.findAddresses(name)).addresses, [], name)
    assert.deepEqual((await resolver.findService(name)).records, [], name)
  }
})

test('a name server that is not there is an error, and not a name without addresses', async (t) => {
  const server = await startNameServer(t, {})
  server.isSilent = true
  await assert.rejects(createNameResolver([server.address]).findAddresses('a.test'), { code: 'ETIMEOUT' })
})

test('without name servers a name means what it means to the system', async () => {
  const { addresses, ttlMs } = await createNameResolver([]).findAddresses('localhost')
  assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'), addresses.join(' '))
  assert.equal(ttlMs, 10_000)
})

test('the best priority of a service serves, the others are backups, and no weight is 0', async (t) => {
  const { address } = await startNameServer(t, {
    '_http._tcp.test': {
      services: [
        { priority: 20, weight: 7, port: 8003, target: 'c.test' },
        { priority: 10, weight: 0, port: 8001, target: 'a.test' },
        { priority: 10, weight: 60, port: 8002, target: 'b.test' },
      ],
    },
    'a.test': { ttl: 5, addresses: ['10.0.0.1'] },
    'b.test': { addresses: ['10.0.0.2', '10.0.0.3'] },
  })
  const finding = await findName({ host: '_http._tcp.test', discovery: 'service' }, createNameResolver([address]))
  assert.deepEqual(finding.targets, [
    { host: 'a.test', port: 8001, weight: 1, backup: false },
    { host: 'b.test', port: 8002, weight: 60, backup: false },
    { host: 'c.test', port: 8003, weight: 7, backup: true },
  ])
  assert.deepEqual(finding.addresses, { 'a.test': ['10.0.0.1'], 'b.test': ['10.0.0.2', '10.0.0.3'], 'c.test': [] })
  assert.equal(finding.ttlMs, 5_000)
})
