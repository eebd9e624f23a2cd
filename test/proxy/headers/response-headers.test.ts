import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestHead } from '../../../src/exchange.ts'
import { findHeader, type HeaderList, headerValues } from '../../../src/header-list.ts'
import {
  buildResponseHeaders,
  compileResponseHeaders,
  type ResponseHeaderRoute,
} from '../../../src/proxy/headers/response-headers.ts'
import { describeBackend } from '../../../src/upstream/backend-authority.ts'

const backend = describeBackend({ host: 'app.internal', port: 3000, tls: undefined })

interface Case {
  readonly rules?: ResponseHeaderRoute['headers']['response']
  readonly stripPath?: boolean
  readonly request?: Partial<RequestHead>
  readonly status?: number
}

function build(
  headers: HeaderList,
  { rules = { set: [], remove: [] }, stripPath = true, request, status = 200 }: Case = {},
) {
  const plan = compileResponseHeaders({ path: '/api', stripPath, preserveHost: false, headers: { response: rules } })
  return buildResponseHeaders(plan, {
    response: { status, statusText: '', headers },
    request: { method: 'GET', target: '/', authority: 'www.example', httpVersion: '1.1', headers: [], ...request },
    requestId: 'id1',
    backend,
  })
}

const OWN: HeaderList = ['Via', '1.1 pyserve-ts', 'X-Request-Id', 'id1']

test('every Set-Cookie crosses, in order and case', () => {
  const fields = [
    'set-cookie',
    'a=1; Path=/',
    'X-A',
    '1',
    'Set-Cookie',
    'b=2',
    'SET-COOKIE',
    'a=3',
    'Content-Length',
    '3',
  ]
  assert.deepEqual(build(fields), [...fields, ...OWN])
})

for (const name of [
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Transfer-Encoding',
  'Upgrade',
  'Proxy-Authenticate',
  'Proxy-Authentication-Info',
]) {
  test(`${name} of a backend does not reach the client`, () => {
    assert.deepEqual(build([name, 'close', 'Server', 'x']), ['Server', 'x', ...OWN])
  })
}

test('fields that Connection names do not reach the client', () => {
  assert.deepEqual(build(['X-Hop', '1', 'Connection', 'close, X-Hop', 'Server', 'x']), ['Server', 'x', ...OWN])
})

test('Connection cannot take away what we set', () => {
  assert.deepEqual(build(['Connection', 'Via, X-Request-Id', 'Server', 'x']), ['Server', 'x', ...OWN])
})

test('the request id of the backend stays', () => {
  const built = build(['x-request-id', 'theirs'])
  assert.deepEqual(headerValues(built, 'x-request-id'), ['theirs'])
})

test('Via of the backend stays before ours', () => {
  assert.deepEqual(headerValues(build(['Via', '1.1 cache']), 'via'), ['1.1 cache', '1.1 pyserve-ts'])
})

test('one Content-Length said twice is said once, two are left to be refused', () => {
  assert.deepEqual(headerValues(build(['Content-Length', '3', 'content-length', '3']), 'content-length'), ['3'])
  assert.deepEqual(headerValues(build(['Content-Length', '3', 'content-length', '4']), 'content-length'), ['3', '4'])
})

test('Content-Length does not cross beside Transfer-Encoding', () => {
  assert.equal(findHeader(build(['Content-Length', '3', 'Transfer-Encoding', 'chunked']), 'content-length'), undefined)
})

test('Location and Content-Location get the stripped prefix back', () => {
  const built = build(['location', '/x', 'Content-Location', 'http://app.internal:3000/y?z'])
  assert.deepEqual(built.slice(0, 4), ['location', '/api/x', 'Content-Location', '/api/y?z'])
})

test('without stripping Location only loses the address of the backend', () => {
  const built = build(['Location', '/x', 'Content-Location', 'http://app.internal:3000/y'], { stripPath: false })
  assert.deepEqual(built.slice(0, 4), ['Location', '/x', 'Content-Location', '/y'])
})

const chunked = ['Transfer-Encoding', 'chunked', 'Trailer', 'X-Sum', 'trailer', 'X-Sum2']

for (const { name, headers = chunked, request, status, trailer } of [
  { name: 'trailers are announced again where they can be sent', trailer: 'X-Sum, X-Sum2' },
  {
    name: 'trailers are not announced with a length',
    headers: ['Trailer', 'x', 'Content-Length', '3'],
    trailer: undefined,
  },
  { name: 'trailers are not announced to HTTP/1.0', request: { httpVersion: '1.0' as const }, trailer: undefined },
  { name: 'trailers are not announced to HEAD', request: { method: 'HEAD' }, trailer: undefined },
  { name: 'trailers are not announced without a body', status: 304, trailer: undefined },
]) {
  test(name, () => {
    const built = build(headers, { ...(request && { request }), ...(status && { status }) })
    assert.equal(findHeader(built, 'trailer'), trailer)
    assert.equal(findHeader(built, 'transfer-encoding'), undefined)
  })
}

test('an accepted upgrade says so again', () => {
  const built = build(['upgrade', 'WebSocket', 'connection', 'upgrade', 'Sec-WebSocket-Accept', 'a'], { status: 101 })
  assert.deepEqual(built, ['Sec-WebSocket-Accept', 'a', ...OWN, 'Connection', 'Upgrade', 'Upgrade', 'WebSocket'])
})

test('a route sets and removes fields last', () => {
  const rules = {
    set: [
      ['Cache-Control', 'no-store'],
      ['Connection', 'close'],
    ] as const,
    remove: ['server', 'via', 'location', 'content-length'],
  }
  const built = build(
    ['SERVER', 'x', 'cache-control', 'public', 'Via', '1.1 y', 'Location', '/x', 'Content-Length', '3'],
    { rules },
  )
  assert.deepEqual(built, ['Content-Length', '3', 'X-Request-Id', 'id1', 'Cache-Control', 'no-store'])
})

test('a route may set its own request id', () => {
  const built = build(['X-Request-Id', 'theirs'], { rules: { set: [['X-Request-Id', 'fixed']], remove: [] } })
  assert.deepEqual(headerValues(built, 'x-request-id'), ['fixed'])
})
