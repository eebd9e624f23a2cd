import assert from 'node:assert/strict'
import { test } from 'node:test'
import { locateOnTls } from '../../src/proxy/tls-redirect.ts'

for (const { name, target, authority, port = 8443, location } of [
  {
    name: 'path and query go along as they came',
    target: '/a%2Fb?c=d&e=%20f',
    authority: 'a.example:8080',
    location: 'https://a.example:8443/a%2Fb?c=d&e=%20f',
  },
  {
    name: 'the port of https is not named',
    target: '/',
    authority: 'a.example',
    port: 443,
    location: 'https://a.example/',
  },
  { name: 'an address in brackets keeps them', target: '/', authority: '[::1]:80', location: 'https://[::1]:8443/' },
  {
    name: 'a path that looks like a host is none',
    target: '//evil.example/x',
    authority: 'a.example',
    location: 'https://a.example:8443//evil.example/x',
  },
  { name: 'OPTIONS * goes to the root', target: '*', authority: 'a.example', location: 'https://a.example:8443/' },
  { name: 'without a host there is no place to go', target: '/', authority: '', location: undefined },
  { name: 'a path that climbs out leads nowhere', target: '/../x', authority: 'a.example', location: undefined },
]) {
  test(name, () => {
    const head = { method: 'GET', target, authority, headers: [], httpVersion: '1.1' } as const
    assert.equal(locateOnTls(head, port), location)
  })
}
