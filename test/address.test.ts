import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress } from '../src/address.ts'

for (const { host, port, shown } of [
  { host: '127.0.0.1', port: 80, shown: '127.0.0.1:80' },
  { host: 'localhost', port: 80, shown: 'localhost:80' },
  { host: '::1', port: 80, shown: '[::1]:80' },
]) {
  test(`${host} is written ${shown}`, () => assert.equal(formatAddress(host, port), shown))
}
