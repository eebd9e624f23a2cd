import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RequestHead } from '../../../src/exchange.ts'
import { findHeader, type HeaderList, headerValues } from '../../../src/header-list.ts'
import { compileTrust, resolveClient } from '../../../src/proxy/client-identity.ts'
import {
  buildRequestHeaders,
  compileRequestHeaders,
  type RequestHeaderRoute,
} from '../../../src/proxy/headers/request-headers.ts'
import { describeBackend } from '../../../src/upstream/backend-authority.ts'

const trust = compileTrust(['10.0.0.0/8'])
const backend = describeBackend({ host: 'app.internal', port: 3000, tls: undefined })

interface Case {
  readonly route?: Partial<Omit<RequestHeaderRoute, 'headers'>>
  readonly rules?: RequestHeaderRoute['headers']['request']
  readonly head?: Partial<RequestHead>
  readonly peer?: string
  readonly upgrade?: boolean
  readonly fields?: HeaderList
}

function build(
  headers: HeaderList,
  { route, rules = { set: [], remove: [] }, head, peer, upgrade = false, fields = [] }: Case = {},
) {
  const plan = compileRequestHeaders({
    path: '/api',
    stripPath: true,
    preserveHost: false,
    headers: { request: rules },
    ...route,
  })
  const request: RequestHead = {
    method: 'GET',
    target: '/',
    authority: 'www.example',
    httpVersion: '1.1',
    headers,
    ...head,
  }
  const client = { remoteAddress: peer ?? '203.0.113.9', remotePort: 5, localPort: 8000, encrypted: false }
  const identity = resolveClient(trust, client, request)
  return buildRequestHeaders(plan, { head: request, identity, requestId: 'id1', backend, upgrade, fields })
}

const OWN: HeaderList = [
  'X-Forwarded-For',
  '203.0.113.9',
  'X-Forwarded-Proto',
  'http',
  'X-Forwarded-Host',
  'www.example',
  'X-Forwarded-Port',
  '8000',
  'X-Forwarded-Prefix',
  '/api',
  'X-Real-IP',
  '203.0.113.9',
  'X-Request-Id',
  'id1',
  'Via',
  '1.1 pyserve-ts',
]

const HOST: HeaderList = ['Host', 'app.internal:3000']

test('Host comes first, then the fields of the client as they came, then ours', () => {
  const fields = ['ACCEPT', '*/*', 'x-One', '1', 'X-oNE', '2', 'Cookie', 'a=b', 'Content-Type', 'x/y']
  assert.deepEqual(build(['host', 'www.example', ...fields]), [...HOST, ...fields, ...OWN])
})

for (const name of [
  'Connection',
  'Keep-Alive',
  'proxy-connection',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'UPGRADE',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'HTTP2-Settings',
  'Content-Length',
  'Expect',
  'Host',
  'X-Forwarded-For',
  'X-FORWARDED-PROTO',
  'x-forwarded-host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Real-IP',
  'X-Request-ID',
  'Forwarded',
  'X_Forwarded_For',
  'X_Forwarded-Proto',
  'X_Real_IP',
  'Content_Length',
  'Transfer_Encoding',
]) {
  test(`${name} of a client does not reach the backend`, () => {
    assert.deepEqual(build([name, 'close', 'Accept', 'x']), [...HOST, 'Accept', 'x', ...OWN])
  })
}

test('fields that Connection names do not reach the backend', () => {
  const headers = [
    'X-Hop',
    '1',
    'Connection',
    'keep-alive, x-hop ,X-HOP2',
    'x-HOP2',
    '2',
    'connection',
    'X-Hop3',
    'X-Hop3',
    '3',
  ]
  assert.deepEqual(build([...headers, 'X-End', '4']), [...HOST, 'X-End', '4', ...OWN])
})

test('Connection cannot take away what we set', () => {
  const names = 'Host, X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, X-Request-Id, Via, Content-Length, Connection'
  assert.deepEqual(build(['Connection', names, 'Accept', 'x']), [...HOST, 'Accept', 'x', ...OWN])
})

test('Connection cannot take away what a trusted proxy says', () => {
  const headers = ['X-Forwarded-For', '198.51.100.1', 'Connection', 'X-Forwarded-For']
  assert.equal(findHeader(build(headers, { peer: '10.0.0.1' }), 'x-forwarded-for'), '198.51.100.1, 10.0.0.1')
})

test('a trusted proxy is believed, and its Forwarded passes on', () => {
  const headers = ['Forwarded', 'for=1.2.3.4', 'X-Forwarded-For', '198.51.100.1', 'X-Forwarded-Proto', 'https']
  const built = build([...headers, 'X-Forwarded-Prefix', '/outer'], { peer: '::ffff:10.0.0.1' })
  assert.deepEqual(headerValues(built, 'x-forwarded-for'), ['198.51.100.1, 10.0.0.1'])
  assert.deepEqual(headerValues(built, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(headerValues(built, 'x-forwarded-port'), ['443'])
  assert.deepEqual(headerValues(built, 'x-forwarded-prefix'), ['/outer/api'])
  assert.deepEqual(headerValues(built, 'x-real-ip'), ['198.51.100.1'])
  assert.deepEqual(headerValues(built, 'forwarded'), ['for=1.2.3.4'])
})

for (const { name, route, prefix } of [
  { name: 'a stripped prefix is told', route: { path: '/api/v1' }, prefix: '/api/v1' },
  { name: 'a prefix beyond ascii is told escaped', route: { path: '/é/%41' }, prefix: '/%C3%A9/%41' },
  { name: 'a prefix that stays is not told', route: { stripPath: false }, prefix: undefined },
  { name: 'the root prefix is not told', route: { path: '/' }, prefix: undefined },
]) {
  test(name, () => assert.equal(findHeader(build([], { route }), 'x-forwarded-prefix'), prefix))
}

test('preserve_host sends on the host that the client used', () => {
  assert.deepEqual(build([], { route: { preserveHost: true } }).slice(0, 2), ['Host', 'www.example'])
  const unnamed = build([], { route: { preserveHost: true }, head: { authority: '', httpVersion: '1.0' } })
  assert.deepEqual(unnamed.slice(0, 2), HOST)
  assert.equal(findHeader(unnamed, 'x-forwarded-host'), undefined)
})

test('Via tells the version of each hop in order', () => {
  const built = build(['Via', '1.1 outer'], { head: { httpVersion: '1.0' } })
  assert.deepEqual(headerValues(built, 'via'), ['1.1 outer', '1.0 pyserve-ts'])
  assert.deepEqual(headerValues(build([], { head: { httpVersion: '2' } }), 'via'), ['2 pyserve-ts'])
})

test('a client whose socket is gone already has no address, not a made-up one', () => {
  const built = build([], { peer: '' })
  assert.equal(findHeader(built, 'x-forwarded-for'), undefined)
  assert.equal(findHeader(built, 'x-real-ip'), undefined)
})

test('an upgrade says so again, once, and keeps the fields of the handshake', () => {
  const handshake = [
    'Sec-WebSocket-Key',
    'k',
    'sec-websocket-version',
    '13',
    'Sec-WebSocket-Extensions',
    'permessage-deflate',
  ]
  const headers = ['connection', 'keep-alive, upgrade', 'upgrade', 'WebSocket', ...handshake]
  assert.deepEqual(build(headers, { upgrade: true }), [
    ...HOST,
    ...handshake,
    ...OWN,
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
  ])
})

test('a route sets and removes fields last', () => {
  const rules = { set: [['X-Team', 'blue'] as const, ['Via', 'none'] as const], remove: ['cookie', 'x-real-ip'] }
  const built = build(['Cookie', 'a', 'x-team', 'red', 'X_Team', 'red', 'Accept', 'x'], { rules })
  assert.equal(findHeader(built, 'cookie'), undefined)
  assert.equal(findHeader(built, 'x-real-ip'), undefined)
  assert.equal(findHeader(built, 'x_team'), undefined)
  assert.deepEqual(headerValues(built, 'x-team'), ['blue'])
  assert.deepEqual(headerValues(built, 'via'), ['none'])
  assert.deepEqual(headerValues(built, 'accept'), ['x'])
  assert.deepEqual(headerValues(built, 'x-forwarded-for'), ['203.0.113.9'])
})

test('a field that a route sets with underscores has no twin with hyphens', () => {
  const built = build(['X-Team', 'red', 'X_TEAM', 'red'], { rules: { set: [['X_Team', 'blue']], remove: [] } })
  assert.equal(findHeader(built, 'x-team'), undefined)
  assert.deepEqual(headerValues(built, 'x_team'), ['blue'])
})

test('a route may set Host, and cannot remove it', () => {
  const built = build([], { rules: { set: [['host', 'fixed.example']], remove: [] } })
  assert.deepEqual(headerValues(built, 'host'), ['fixed.example'])
  assert.equal(built[0], 'Host')
  assert.deepEqual(headerValues(build([], { rules: { set: [], remove: ['host'] } }), 'host'), ['app.internal:3000'])
})

test('a route may remove Forwarded of a trusted proxy', () => {
  const built = build(['Forwarded', 'for=x'], { peer: '10.0.0.1', rules: { set: [], remove: ['forwarded'] } })
  assert.equal(findHeader(built, 'forwarded'), undefined)
})

const names = fc.constantFrom(
  ...['Connection', 'Host', 'X-Forwarded-For', 'x_forwarded_for', 'Forwarded', 'Transfer-Encoding', 'Content-Length'],
  ...['Upgrade', 'TE', 'X-Real-IP', 'Accept', 'X-A', 'X-B', 'Via', 'Cookie'],
)
const values = fc.oneof(
  fc.constantFrom('close', 'X-A', 'x-b, host', 'Via, X-Forwarded-For'),
  fc.stringMatching(/^[ -~]{0,9}$/),
)
const headerLists = fc.array(fc.tuple(names, values), { maxLength: 10 }).map((fields) => fields.flat())

test('whatever a client sends, one Host and one set of our fields come out, and nothing of the hop', () => {
  fc.assert(
    fc.property(headerLists, fc.boolean(), (headers, upgrade) => {
      const built = build(headers, { upgrade })
      for (const name of [
        'host',
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-forwarded-host',
        'x-real-ip',
        'x-request-id',
      ]) {
        assert.equal(headerValues(built, name).length, 1, name)
      }
      assert.equal(findHeader(built, 'x-forwarded-for'), '203.0.113.9')
      for (const name of ['te', 'transfer-encoding', 'content-length', 'forwarded', 'x_forwarded_for']) {
        assert.equal(findHeader(built, name), undefined, name)
      }
      assert.deepEqual(headerValues(built, 'connection'), upgrade ? ['Upgrade'] : [])
      assert.ok(built.every((part) => !/[\r\n\0]/.test(part)))
    }),
  )
})

test('what a step adds for one request stands in place of what the client says of it', () => {
  const headers = build(['X-User', 'mallory', 'Accept', '*/*', 'x_user', 'eve'], { fields: ['X-User', 'alice'] })
  assert.deepEqual(headerValues(headers, 'x-user'), ['alice'])
  assert.equal(findHeader(headers, 'x_user'), undefined)
  assert.deepEqual(headerValues(headers, 'accept'), ['*/*'])
  assert.equal(headers[0], 'Host')
})

test('a reserved field never crosses, however a client spells it', () => {
  const route = { reserved: ['X-User'] }
  const headers = build(['X-User', 'mallory', 'x_user', 'eve', 'X-Users', 'all'], { route })
  assert.equal(findHeader(headers, 'x-user'), undefined)
  assert.equal(findHeader(headers, 'x_user'), undefined)
  assert.deepEqual(headerValues(headers, 'x-users'), ['all'])
})
