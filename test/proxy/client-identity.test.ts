import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClientAddress } from '../../src/exchange.ts'
import type { HeaderList } from '../../src/header-list.ts'
import { compileTrust, normalizeAddress, resolveClient } from '../../src/proxy/client-identity.ts'

const trust = compileTrust(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '::1'])

function resolve(
  remoteAddress: string,
  headers: HeaderList,
  rest: Partial<ClientAddress> = {},
  authority = 'a.example',
) {
  const client = { remoteAddress, remotePort: 50_000, localPort: 8000, encrypted: false, ...rest }
  return resolveClient(trust, client, { method: 'GET', target: '/', authority, headers, httpVersion: '1.1' })
}

for (const { name, address, trusted } of [
  { name: 'an address inside of a range', address: '10.255.0.1', trusted: true },
  { name: 'an address outside of every range', address: '11.0.0.1', trusted: false },
  { name: 'a single address', address: '192.168.1.1', trusted: true },
  { name: 'the address beside it', address: '192.168.1.2', trusted: false },
  { name: 'an IPv4 address told as IPv6', address: '::ffff:10.1.2.3', trusted: true },
  { name: 'the same in hexadecimal', address: '::ffff:a01:203', trusted: true },
  { name: 'an IPv6 address inside of a range', address: 'fd12::1', trusted: true },
  { name: 'an IPv6 address outside of every range', address: 'fe80::1', trusted: false },
  { name: 'a name', address: 'localhost', trusted: false },
  { name: 'nothing', address: '', trusted: false },
]) {
  test(`${name} is ${trusted ? '' : 'not '}trusted`, () => {
    assert.equal(trust?.isTrusted(address), trusted)
    assert.equal(trust?.isTrusted(address), trusted)
  })
}

test('a range of IPv4 written as IPv6 holds for IPv4', () => {
  const mapped = compileTrust(['::ffff:10.0.0.0/104'])
  assert.equal(mapped?.isTrusted('10.9.9.9'), true)
  assert.equal(mapped?.isTrusted('11.9.9.9'), false)
})

test('without a range nobody is trusted', () => {
  assert.equal(compileTrust([]), undefined)
})

test('what is no range is refused', () => {
  for (const text of ['10.0.0.0/33', 'localhost', '10.0.0/8x', '']) {
    assert.throws(() => compileTrust([text]), /is not an address or a CIDR/)
  }
})

test('only so many addresses are remembered', (t) => {
  const one = compileTrust(['10.0.0.0/8'])
  const forgotten = t.mock.method(Map.prototype, 'delete')
  for (let i = 0; i < 5000; i++) one?.isTrusted(`10.1.${i >> 8}.${i & 255}`)
  const count = forgotten.mock.callCount()
  forgotten.mock.restore()
  assert.equal(count, 5000 - 4096)
})

test('answers stay right when more addresses are asked for than are remembered', () => {
  const one = compileTrust(['10.0.0.0/16'])
  for (let i = 0; i < 10_000; i++) {
    const address = `10.${i % 3}.${i >> 8}.${i & 255}`
    assert.equal(one?.isTrusted(address), i % 3 === 0)
  }
  assert.equal(one?.isTrusted('10.0.0.0'), true)
})

test('an address is told without zone, and as IPv4 where it is one', () => {
  assert.equal(normalizeAddress('::ffff:127.0.0.1'), '127.0.0.1')
  assert.equal(normalizeAddress('127.0.0.1'), '127.0.0.1')
  assert.equal(normalizeAddress('fe80::1%eth0'), 'fe80::1')
  assert.equal(normalizeAddress('::1'), '::1')
})

const forged: HeaderList = [
  'X-Forwarded-For',
  '1.2.3.4',
  'X-Forwarded-Proto',
  'https',
  'X-Forwarded-Host',
  'evil.example',
  'X-Forwarded-Port',
  '443',
  'X-Forwarded-Prefix',
  '/evil',
  'X-Request-Id',
  'evil',
]

test('nothing that a client claims is believed', () => {
  assert.deepEqual(resolve('::ffff:203.0.113.9', forged), {
    address: '203.0.113.9',
    trustedPeer: false,
    forwardedFor: '203.0.113.9',
    proto: 'http',
    host: 'a.example',
    port: '8000',
    prefix: '',
    requestId: undefined,
  })
})

test('what a trusted proxy claims is believed', () => {
  assert.deepEqual(resolve('::ffff:10.0.0.1', forged), {
    address: '1.2.3.4',
    trustedPeer: true,
    forwardedFor: '1.2.3.4, 10.0.0.1',
    proto: 'https',
    host: 'evil.example',
    port: '443',
    prefix: '/evil',
    requestId: 'evil',
  })
})

test('a trusted proxy that claims nothing is the client', () => {
  const identity = resolve('10.0.0.1', [], { encrypted: true })
  assert.equal(identity.address, '10.0.0.1')
  assert.equal(identity.forwardedFor, '10.0.0.1')
  assert.equal(identity.proto, 'https')
  assert.equal(identity.port, '8000')
})

test('an encrypted connection is https', () => {
  assert.equal(resolve('203.0.113.9', forged, { encrypted: true, localPort: 8443 }).proto, 'https')
  assert.equal(resolve('203.0.113.9', forged, { encrypted: true, localPort: 8443 }).port, '8443')
})

for (const { name, list, address } of [
  { name: 'the last untrusted address is the client', list: '1.1.1.1, 2.2.2.2, 10.0.0.2', address: '2.2.2.2' },
  { name: 'what stands before it is only a claim', list: '10.0.0.9, 2.2.2.2', address: '2.2.2.2' },
  { name: 'where all are trusted the first is the client', list: '10.0.0.3, 10.0.0.2', address: '10.0.0.3' },
  { name: 'a malformed entry ends the walk', list: '1.1.1.1, unknown, 10.0.0.2', address: '10.0.0.2' },
  { name: 'a malformed last entry leaves the peer', list: '1.1.1.1, x', address: '10.0.0.1' },
  { name: 'an empty entry ends the walk', list: ', 10.0.0.2,', address: '10.0.0.1' },
  { name: 'a port is no part of the address', list: '2.2.2.2:4711', address: '2.2.2.2' },
  { name: 'brackets and port are no part of the address', list: '[2001:DB8:0::1]:80', address: '2001:db8::1' },
  { name: 'brackets that do not end are malformed', list: '[2001:db8::1', address: '10.0.0.1' },
  { name: 'a mapped address is IPv4', list: '::ffff:2.2.2.2', address: '2.2.2.2' },
  { name: 'spaces and tabs around entries do not matter', list: '\t2.2.2.2 ,  10.0.0.2 ', address: '2.2.2.2' },
  { name: 'octal digits are no address', list: '010.0.0.1', address: '10.0.0.1' },
  { name: 'a long list of proxies ends', list: '10.0.0.2,'.repeat(5000), address: '10.0.0.1' },
  { name: 'a long list of commas ends', list: ','.repeat(5000), address: '10.0.0.1' },
]) {
  test(`the walk: ${name}`, () => assert.equal(resolve('10.0.0.1', ['x-forwarded-for', list]).address, address))
}

test('the walk looks at so many proxies and no more', () => {
  let asked = 0
  const everyone = { isTrusted: () => ++asked > 0 }
  const client = { remoteAddress: '10.0.0.1', remotePort: 1, localPort: 8000, encrypted: false }
  const headers = ['X-Forwarded-For', Array.from({ length: 1000 }, () => '10.0.0.2').join(',')]
  resolveClient(everyone, client, { method: 'GET', target: '/', authority: 'a', headers, httpVersion: '1.1' })
  assert.ok(asked <= 65, `${asked} addresses`)
})

test('several fields are one list', () => {
  const identity = resolve('10.0.0.1', ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2, 10.0.0.2'])
  assert.equal(identity.address, '2.2.2.2')
  assert.equal(identity.forwardedFor, '1.1.1.1, 2.2.2.2, 10.0.0.2, 10.0.0.1')
})

for (const { name, headers, authority = 'a.example', port } of [
  { name: 'a claimed port', headers: ['X-Forwarded-Port', '8443', 'X-Forwarded-Proto', 'https'], port: '8443' },
  { name: 'the port of a claimed host', headers: ['X-Forwarded-Host', 'b.example:81'], port: '81' },
  { name: 'the default of a claimed scheme', headers: ['X-Forwarded-Proto', 'https'], port: '443' },
  {
    name: 'the port in Host where a scheme is claimed',
    headers: ['X-Forwarded-Proto', 'http'],
    authority: 'a:82',
    port: '82',
  },
  { name: 'our port where nothing is claimed', headers: [], authority: 'a:82', port: '8000' },
  { name: 'our port where a port is claimed that is none', headers: ['X-Forwarded-Port', '0x50'], port: '8000' },
  { name: 'our port where a port is claimed that is too high', headers: ['X-Forwarded-Port', '65536'], port: '8000' },
]) {
  test(`the client's port from a trusted proxy: ${name}`, () => {
    assert.equal(resolve('10.0.0.1', headers, {}, authority).port, port)
  })
}

for (const { name, claims, field, value } of [
  { name: 'wss is https', claims: ['X-Forwarded-Proto', 'WSS'], field: 'proto', value: 'https' },
  { name: 'ws is http', claims: ['X-Forwarded-Proto', 'ws'], field: 'proto', value: 'http' },
  {
    name: 'the last scheme of a list counts',
    claims: ['X-Forwarded-Proto', 'https, http'],
    field: 'proto',
    value: 'http',
  },
  { name: 'an unknown scheme does not count', claims: ['X-Forwarded-Proto', 'gopher'], field: 'proto', value: 'http' },
  {
    name: 'a host that is none does not count',
    claims: ['X-Forwarded-Host', 'a/b'],
    field: 'host',
    value: 'a.example',
  },
  { name: 'the last host of a list counts', claims: ['X-Forwarded-Host', 'x, b:1'], field: 'host', value: 'b:1' },
  {
    name: 'a prefix loses its trailing slash',
    claims: ['X-Forwarded-Prefix', '/a/b/'],
    field: 'prefix',
    value: '/a/b',
  },
  {
    name: 'a prefix that is a host does not count',
    claims: ['X-Forwarded-Prefix', '//evil'],
    field: 'prefix',
    value: '',
  },
  {
    name: 'a prefix that climbs does not count',
    claims: ['X-Forwarded-Prefix', '/a/../b'],
    field: 'prefix',
    value: '',
  },
  { name: 'a prefix with markup does not count', claims: ['X-Forwarded-Prefix', '/a"><'], field: 'prefix', value: '' },
  {
    name: 'a request id with a space does not count',
    claims: ['X-Request-Id', 'a b'],
    field: 'requestId',
    value: undefined,
  },
  {
    name: 'a long request id does not count',
    claims: ['X-Request-Id', 'a'.repeat(129)],
    field: 'requestId',
    value: undefined,
  },
] as const) {
  test(`claims of a trusted proxy: ${name}`, () => {
    assert.equal(resolve('10.0.0.1', claims)[field], value)
  })
}

test('no claim of a client changes who it is', () => {
  const names = fc.constantFrom('X-Forwarded-For', 'x-real-ip', 'Forwarded', 'X-Forwarded-Proto', 'X-FORWARDED-HOST')
  const headers = fc.array(fc.tuple(names, fc.string()), { maxLength: 6 }).map((fields) => fields.flat())
  fc.assert(
    fc.property(headers, (list) => {
      assert.deepEqual(resolve('203.0.113.9', list), resolve('203.0.113.9', []))
    }),
  )
})
