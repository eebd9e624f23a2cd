import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf } from '../../src/address.ts'
import { isAuthority, parseAuthority } from '../../src/routing/authority.ts'

for (const [name, authority, expected] of [
  ['a name', 'example.com', { host: 'example.com', port: undefined }],
  ['a name with a port', 'Example.COM:8080', { host: 'example.com', port: 8080 }],
  ['a name with a trailing dot', 'example.com.:80', { host: 'example.com', port: 80 }],
  ['a name with an empty port', 'example.com:', { host: 'example.com', port: undefined }],
  ['a name with an underscore', 'my_service:80', { host: 'my_service', port: 80 }],
  ['an IPv4 address', '127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['an IPv6 literal', '[::1]', { host: '::1', port: undefined }],
  ['an IPv6 literal with a port', '[2001:DB8::1]:443', { host: '2001:db8::1', port: 443 }],
] as const) {
  test(`${name} is an authority`, () => {
    assert.deepEqual(parseAuthority(authority), expected)
    assert.equal(hostOf(authority), expected.host)
  })
}

for (const [name, authority] of [
  ['nothing', ''],
  ['a port alone', ':80'],
  ['a user part', 'user@example.com'],
  ['a list', 'a.example, b.example'],
  ['a path', 'example.com/x'],
  ['a space', 'example.com '],
  ['a port above 65535', 'example.com:65536'],
  ['a port that is no number', 'example.com:http'],
  ['a long port', 'example.com:0000080'],
  ['two ports', 'example.com:80:80'],
  ['an IPv6 address without brackets', '::1'],
  ['brackets around a name', '[example.com]'],
  ['an IPv6 literal that does not end', '[::1'],
  ['an IPv6 zone', '[fe80::1%25eth0]'],
  ['something behind the literal', '[::1]x'],
  ['a backslash', 'example.com\\x'],
  ['an escape', 'ex%61mple.com'],
  ['a line break', 'example.com\r\nx: y'],
] as const) {
  test(`${name} is no authority`, () => {
    assert.equal(isAuthority(authority), false)
    assert.equal(parseAuthority(authority), undefined)
  })
}
