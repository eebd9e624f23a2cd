import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberConfig } from '../../../src/config/config.ts'
import { type Discovered, expandMembers } from '../../../src/upstream/discovery/discovered.ts'

const HOST: MemberConfig = {
  host: 'a.test',
  port: 80,
  tls: undefined,
  weight: 2,
  backup: false,
  discovery: 'addresses',
}
const SERVICE: MemberConfig = { ...HOST, host: '_http._tcp.test', port: 0, weight: 1, discovery: 'service' }

/** `host@address:port x weight`. */
function describe(members: readonly MemberConfig[]): string[] {
  return members.map(
    ({ host, address, port, weight, backup }) =>
      `${host}${address === undefined ? '' : `@${address}`}:${port} x${weight}${backup ? ' backup' : ''}`,
  )
}

const { discovery: _, ...PLAIN } = HOST

for (const { name, member = HOST, addresses, services = [], isPrivate = false, expected } of [
  { name: 'a name that is not known yet is one backend', addresses: undefined, expected: ['a.test:80 x2'] },
  { name: 'a name that does not exist is nobody', addresses: [], expected: [] },
  { name: 'a name with one address is one backend', addresses: ['10.0.0.1'], expected: ['a.test:80 x2'] },
  {
    name: 'a name with one address of each family is one machine',
    addresses: ['127.0.0.1', '::1'],
    expected: ['a.test:80 x2'],
  },
  {
    name: 'a name with several addresses is several backends, each with its weight',
    addresses: ['10.0.0.1', '10.0.0.2'],
    expected: ['a.test@10.0.0.1:80 x2', 'a.test@10.0.0.2:80 x2'],
  },
  {
    name: 'machines with addresses of both families are counted once',
    addresses: ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'],
    expected: ['a.test@10.0.0.1:80 x2', 'a.test@10.0.0.2:80 x2'],
  },
  {
    name: 'IPv6 addresses count where there are more than one of them alone',
    addresses: ['10.0.0.1', 'fd00::1', 'fd00::2'],
    expected: ['a.test@fd00::1:80 x2', 'a.test@fd00::2:80 x2'],
  },
  {
    name: 'an address that only our name server knows is told to who connects',
    addresses: ['fd00::1', '10.0.0.1'],
    isPrivate: true,
    expected: ['a.test@10.0.0.1:80 x2'],
  },
  {
    name: 'a host that is not to be discovered is left alone',
    member: PLAIN,
    addresses: ['10.0.0.1', '10.0.0.2'],
    expected: ['a.test:80 x2'],
  },
  { name: 'a service without records is nobody', member: SERVICE, addresses: undefined, expected: [] },
  {
    name: 'a service is its targets, and a target may have several addresses',
    member: SERVICE,
    addresses: ['10.0.0.1', '10.0.0.2'],
    services: [
      { host: 'a.test', port: 8001, weight: 5, backup: false },
      { host: 'b.test', port: 8002, weight: 1, backup: true },
    ],
    expected: ['a.test@10.0.0.1:8001 x5', 'a.test@10.0.0.2:8001 x5', 'b.test:8002 x1 backup'],
  },
]) {
  test(name, () => {
    const found: Discovered = {
      addresses: addresses === undefined ? {} : { 'a.test': addresses },
      services: services.length === 0 ? {} : { '_http._tcp.test': services },
      isPrivate,
    }
    assert.deepEqual(describe(expandMembers([member], found)), expected)
  })
}

test('names that objects have by themselves are not known', () => {
  const member: MemberConfig = { ...HOST, host: 'constructor' }
  assert.deepEqual(describe(expandMembers([member], { addresses: {}, services: {}, isPrivate: false })), [
    'constructor:80 x2',
  ])
})
