import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import type { LimitKeyConfig } from '../../src/config/limits-config.ts'
import { clientNetwork, compileLimitKey } from '../../src/limits/limit-key.ts'

function keyFor(config: LimitKeyConfig, headers: readonly string[], address = '192.0.2.1'): string {
  return compileLimitKey(config)({ method: 'GET', target: '/', authority: 'h', headers, httpVersion: '1.1' }, address)
}

for (const { name, address, network } of [
  { name: 'an IPv4 address is itself', address: '192.0.2.1', network: '192.0.2.1' },
  { name: 'a mapped one too', address: '::ffff:192.0.2.1', network: '192.0.2.1' },
  { name: 'also where it is written in hex', address: '::FFFF:c000:0201', network: '192.0.2.1' },
  { name: 'of IPv6 the network counts', address: '2001:db8:0:1:a:b:c:d', network: '2001:db8:0:1::/64' },
  { name: 'however it is written', address: '2001:0DB8::1:a:b:c:d', network: '2001:db8:0:1::/64' },
  { name: 'the loopback has one', address: '::1', network: '0:0:0:0::/64' },
  { name: 'a dotted end of another is no IPv4 address', address: '2001:db8::192.0.2.1', network: '2001:db8:0:0::/64' },
  { name: 'a zone is none of it', address: 'fe80::1%eth0', network: 'fe80:0:0:0::/64' },
  { name: 'who is gone already has no address', address: '', network: '' },
]) {
  test(name, () => assert.equal(clientNetwork(address), network))
}

test('addresses of one /64 are one client, whatever way they are written, and others are not', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const address = new ipaddr.IPv6(one)
      fc.pre(!address.isIPv4MappedAddress())
      const network = clientNetwork(address.toString())
      assert.equal(clientNetwork(address.toNormalizedString()), network)
      assert.equal(clientNetwork(one.map((group) => group.toString(16).padStart(4, '0')).join(':')), network)
      const neighbour = new ipaddr.IPv6([...one.slice(0, 4), ...other.slice(4)])
      if (!neighbour.isIPv4MappedAddress()) assert.equal(clientNetwork(neighbour.toString()), network)
      const stranger = new ipaddr.IPv6([...one.slice(0, 3), (one[3] ?? 0) ^ 1, ...one.slice(4)])
      assert.notEqual(clientNetwork(stranger.toString()), network)
    }),
  )
})

test('a header counts under its value, and without it under the address', () => {
  const config = { kind: 'header', name: 'x-key' } as const
  assert.equal(keyFor(config, ['X-Key', 'abc']), '=abc')
  assert.equal(keyFor(config, []), '192.0.2.1')
  assert.equal(keyFor(config, ['X-Key', '']), '192.0.2.1')
})

test('a value that looks like an address is not that client', () => {
  assert.notEqual(keyFor({ kind: 'header', name: 'x-key' }, ['X-Key', '192.0.2.1']), '192.0.2.1')
})

test('a long value is known by its hash', () => {
  const long = (end: string) => keyFor({ kind: 'header', name: 'x-key' }, ['X-Key', `${'x'.repeat(5_000)}${end}`])
  assert.ok(long('a').length <= 64)
  assert.notEqual(long('a'), long('b'))
})

test('a cookie counts under its value, wherever it stands', () => {
  const config = { kind: 'cookie', name: 'sid' } as const
  assert.equal(keyFor(config, ['Cookie', 'a=1; sid=s1;b=2']), '=s1')
  assert.equal(keyFor(config, ['Cookie', 'xsid=no', 'Cookie', 'sid=s2']), '=s2')
  assert.equal(keyFor(config, ['Cookie', 'SID=no; sid']), '192.0.2.1')
})

test('a route has one key', () => {
  assert.equal(keyFor({ kind: 'route' }, []), keyFor({ kind: 'route' }, [], '192.0.2.2'))
})
