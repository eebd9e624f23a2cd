import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BackendTls } from '../../../src/config/config.ts'
import { rewriteLocation } from '../../../src/proxy/headers/location.ts'
import { describeBackend } from '../../../src/upstream/backend-authority.ts'

const tls: BackendTls = {
  verify: true,
  serverName: undefined,
  caPem: undefined,
  certPem: undefined,
  keyPem: undefined,
}

const plain = describeBackend({ host: 'Backend.internal', port: 3000, tls: undefined })
const port80 = describeBackend({ host: 'backend', port: 80, tls: undefined })
const secure = describeBackend({ host: 'backend', port: 443, tls })
const ipv6 = describeBackend({ host: '::1', port: 3000, tls: undefined })

const stripped = { prefix: '/api', preserveHost: false }
const preserved = { prefix: '/api', preserveHost: true }
const whole = { prefix: '', preserveHost: false }

for (const { name, rule = stripped, backend = plain, authority = 'www.example', from, to } of [
  { name: 'a path gets the prefix back', from: '/x?q=/y#f', to: '/api/x?q=/y#f' },
  { name: 'the root gets the prefix back', from: '/', to: '/api/' },
  { name: 'a path that has the prefix stays', from: '/api/x', to: '/api/x' },
  { name: 'the prefix alone stays', from: '/api?x', to: '/api?x' },
  { name: 'a longer word is another path', from: '/apifoo', to: '/api/apifoo' },
  { name: 'a prefix in the query is no prefix', from: '/?/api', to: '/api/?/api' },
  { name: 'a path that leaves the prefix gets it back', from: '/api/../x', to: '/api/x' },
  { name: 'a path above the root stops at the root', from: '/../x', to: '/api/x' },
  { name: 'a relative path stays', from: 'x/y', to: 'x/y' },
  { name: 'a relative path that goes up stays', from: '../x', to: '../x' },
  { name: 'a query stays', from: '?q', to: '?q' },
  { name: 'nothing stays', from: '', to: '' },
  { name: 'a URL of the backend becomes a path', from: 'http://backend.internal:3000/x?q#f', to: '/api/x?q#f' },
  { name: 'its host is compared without case', from: 'HTTP://BACKEND.INTERNAL:3000/x', to: '/api/x' },
  {
    name: 'a URL of the backend with the prefix becomes a path',
    from: 'http://backend.internal:3000/api/x',
    to: '/api/x',
  },
  { name: 'a URL of the backend without path becomes the prefix', from: 'http://backend.internal:3000', to: '/api/' },
  { name: 'a URL of the backend with only a query', from: 'http://backend.internal:3000?q', to: '/api/?q' },
  { name: 'a URL of the backend without scheme', from: '//backend.internal:3000/x', to: '/api/x' },
  { name: 'another port is elsewhere', from: 'http://backend.internal:3001/x', to: 'http://backend.internal:3001/x' },
  { name: 'no port is the default port', from: 'http://backend.internal/x', to: 'http://backend.internal/x' },
  { name: 'a default port may be named', backend: port80, from: 'http://backend:80/x', to: '/api/x' },
  { name: 'a default port may be left out', backend: port80, from: 'http://backend/x', to: '/api/x' },
  { name: 'https has another default port', backend: port80, from: 'https://backend/x', to: 'https://backend/x' },
  { name: 'a secure backend has the port of https', backend: secure, from: 'https://backend/x', to: '/api/x' },
  { name: 'without scheme the port is the default of the backend', backend: secure, from: '//backend/x', to: '/api/x' },
  { name: 'an IPv6 backend is found in brackets', backend: ipv6, from: 'http://[::1]:3000/x', to: '/api/x' },
  { name: 'another host stays', from: 'https://login.example/x', to: 'https://login.example/x' },
  { name: 'another host without scheme stays', from: '//login.example/x', to: '//login.example/x' },
  {
    name: 'a user part makes it elsewhere',
    from: 'http://backend.internal:3000@evil/x',
    to: 'http://backend.internal:3000@evil/x',
  },
  { name: 'another scheme stays', from: 'ftp://backend.internal:3000/x', to: 'ftp://backend.internal:3000/x' },
  { name: 'garbage stays', from: 'http://[/', to: 'http://[/' },
  { name: 'a backslash inside of a path stays', from: '/a\\..\\x', to: '/a\\..\\x' },
  { name: 'three slashes stay', from: '///x', to: '///x' },
  { name: 'a backslash that stands for a slash stays', from: '/\\evil.example', to: '/\\evil.example' },
  {
    name: "the client's host stays where the backend was not told it",
    from: 'http://www.example/x',
    to: 'http://www.example/x',
  },
  {
    name: "the client's host stays absolute, with the prefix",
    rule: preserved,
    from: 'https://WWW.example/x?q',
    to: 'https://WWW.example/api/x?q',
  },
  {
    name: "the client's host with either scheme",
    rule: preserved,
    from: 'http://www.example',
    to: 'http://www.example/api/',
  },
  { name: "the client's host without scheme", rule: preserved, from: '//www.example/x', to: '//www.example/api/x' },
  {
    name: "the client's host with the prefix stays",
    rule: preserved,
    from: 'http://www.example/api/x',
    to: 'http://www.example/api/x',
  },
  {
    name: "the client's port counts",
    rule: preserved,
    authority: 'www.example:8443',
    from: 'https://www.example:8443/x',
    to: 'https://www.example:8443/api/x',
  },
  {
    name: "another port of the client's host is elsewhere",
    rule: preserved,
    authority: 'www.example:8443',
    from: 'https://www.example/x',
    to: 'https://www.example/x',
  },
  {
    name: 'preserve_host keeps the backend hidden too',
    rule: preserved,
    from: 'http://backend.internal:3000/x',
    to: '/api/x',
  },
  { name: 'without stripping a path stays', rule: whole, from: '/x', to: '/x' },
  {
    name: 'without stripping a URL of the backend becomes a path',
    rule: whole,
    from: 'http://backend.internal:3000/x?q#f',
    to: '/x?q#f',
  },
  {
    name: 'without stripping another host stays',
    rule: whole,
    from: 'http://login.example/x',
    to: 'http://login.example/x',
  },
  {
    name: 'a URL of the backend never becomes another host',
    rule: whole,
    from: 'http://backend.internal:3000//evil.example/x',
    to: '/.//evil.example/x',
  },
]) {
  test(name, () => assert.equal(rewriteLocation(from, rule, backend, authority), to))
}

test('a client that follows a rewritten path comes to where the backend pointed', () => {
  const segments = fc.array(fc.constantFrom('a', '..', '.', '%2e%2e', 'api', '', 'b c', '?q', '#f'), { maxLength: 6 })
  fc.assert(
    fc.property(segments, fc.boolean(), (parts, absolute) => {
      const path = `/a/${parts.join('/')}`
      const seen = new URL(path, 'http://backend.internal:3000')
      const value = rewriteLocation(
        absolute ? `http://backend.internal:3000${path}` : path,
        stripped,
        plain,
        'www.example',
      )
      const followed = new URL(value, 'http://www.example/api/z')
      assert.equal(followed.host, 'www.example')
      const prefix = seen.pathname === '/api' || seen.pathname.startsWith('/api/') ? '' : '/api'
      assert.equal(followed.pathname, prefix + seen.pathname)
    }),
  )
})
