import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidr, domain, fieldName, fieldValue, host, method } from '../../../src/config/schema/names.ts'
import { isRefused, readWith } from './read-with.ts'

const LONGEST = `${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(61)

for (const [value, result] of [
  ['localhost', 'localhost'],
  ['a.internal', 'a.internal'],
  ['A-1.internal.', 'A-1.internal.'],
  ['my_service', 'my_service'],
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['пример.рф', 'xn--e1afmkfd.xn--p1ai'],
  ['4chan.org', '4chan.org'],
  [LONGEST, LONGEST],
] as const) {
  test(`${value.slice(0, 30)} is a host`, () => assert.equal(readWith(host(), value), result))
}

for (const { value, hint } of [
  { value: 'http://a.internal/x', hint: 'leave only the name: "a.internal"' },
  { value: 'a.internal/x', hint: 'leave only the name: "a.internal"' },
  { value: 'a.internal:3000', hint: 'the port has its own key: "a.internal"' },
  { value: '10.0.0.1:3000', hint: 'the port has its own key: "10.0.0.1"' },
  { value: '*', hint: 'write 0.0.0.0 or :: for every address' },
  { value: '', hint: undefined },
  { value: 'a b', hint: undefined },
  { value: '-a', hint: undefined },
  { value: 'a..b', hint: undefined },
  { value: '[10.0.0.1]', hint: undefined },
  { value: '10.0.0.300', hint: undefined },
  { value: '127.1', hint: undefined },
  { value: 'a'.repeat(64), hint: undefined },
  { value: `${LONGEST}c`, hint: undefined },
]) {
  test(`${value.slice(0, 30) || 'nothing'} is no host`, () => {
    const { error } = host().safeParse(value)
    assert.equal((error?.issues[0] as { params?: { hint?: string } } | undefined)?.params?.hint, hint)
    assert.ok(error !== undefined)
  })
}

for (const [value, result] of [
  ['API.example.com', 'api.example.com'],
  ['*.Example.com', '*.example.com'],
  ['example.com.', 'example.com'],
  ['*.пример.рф', '*.xn--e1afmkfd.xn--p1ai'],
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', 'localhost'],
] as const) {
  test(`${value} is a domain`, () => assert.equal(readWith(domain(), value), result))
}

for (const value of [
  '*',
  'a.*',
  '*a.example.com',
  '*.*.example.com',
  'a.example.com:80',
  '*.',
  '',
  '::1',
  '*.127.0.0.1',
]) {
  test(`${value || 'nothing'} is no domain`, () => assert.ok(isRefused(domain(), value)))
}

for (const [value, result] of [
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.0.0.1', '10.0.0.1/32'],
  ['fd00::/8', 'fd00::/8'],
  ['::1', '::1/128'],
  ['0.0.0.0/0', '0.0.0.0/0'],
] as const) {
  test(`${value} is the range ${result}`, () => assert.equal(readWith(cidr(), value), result))
}

for (const value of [
  '10.0.0.0/33',
  '10.0/8',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '::/129',
  'a.internal',
  '',
  '0x0a.0.0.1',
  'fe80::1%eth0',
]) {
  test(`${value || 'nothing'} is no range`, () => assert.ok(isRefused(cidr(), value)))
}

test('a method is a token in upper case', () => {
  assert.equal(readWith(method(), 'get'), 'GET')
  assert.equal(readWith(method(), 'M-SEARCH'), 'M-SEARCH')
  for (const value of ['', 'GET,POST', 'GET POST', 'É']) assert.ok(isRefused(method(), value))
})

test('a header name is a token', () => {
  assert.equal(readWith(fieldName(), 'X-Forwarded-For'), 'X-Forwarded-For')
  for (const value of ['', 'X A', 'X:', 'имя', 'X\n']) assert.ok(isRefused(fieldName(), value))
})

test('a header value has no control characters, and nothing that is not one byte', () => {
  assert.equal(readWith(fieldValue(), ' a\tb '), 'a\tb')
  assert.equal(readWith(fieldValue(), 'caf\u00e9'), 'caf\u00e9')
  assert.equal(readWith(fieldValue(), 1), '1')
  assert.equal(readWith(fieldValue(), true), 'true')
  for (const value of ['a\r\nX: b', 'a\0', '\u007f', 'имя', null, []]) assert.ok(isRefused(fieldValue(), value))
})
