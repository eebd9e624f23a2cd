import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildCompression, type CompressionConfig } from '../../src/config/compression-config.ts'
import type { RequestHead } from '../../src/exchange.ts'
import { compileCompression, planHead } from '../../src/proxy/compression-plan.ts'
import { readField, readFields } from '../helpers/http-client.ts'

interface Case {
  readonly name: string
  readonly method?: string
  /** Of the request, beside Accept-Encoding. */
  readonly request?: readonly string[]
  readonly accept?: string
  readonly status?: number
  readonly headers: readonly string[]
  readonly settings?: Partial<CompressionConfig>
}

const JSON_TYPE = ['Content-Type', 'application/json']

function plan({ method = 'GET', request = [], accept = 'gzip', status = 200, headers, settings = {} }: Case) {
  const usual = buildCompression(true)
  assert.ok(usual)
  const head: RequestHead = {
    method,
    target: '/',
    authority: 'h',
    headers: ['Accept-Encoding', accept, ...request],
    httpVersion: '1.1',
  }
  return planHead(compileCompression({ ...usual, ...settings }), head, { status, statusText: '', headers })
}

for (const one of [
  { name: 'JSON', headers: JSON_TYPE },
  { name: 'a type with parameters and in any case', headers: ['content-type', 'Text/HTML ; charset=utf-8'] },
  { name: 'a type with a suffix', headers: ['Content-Type', 'image/svg+xml'] },
  { name: 'WebAssembly', headers: ['Content-Type', 'application/wasm'] },
  { name: 'server-sent events', headers: ['Content-Type', 'text/event-stream'] },
  { name: 'a long response', headers: [...JSON_TYPE, 'Content-Length', '1024'] },
  { name: 'an error', status: 500, headers: JSON_TYPE },
  { name: 'a type of the route', headers: ['Content-Type', 'a/b'], settings: { types: ['a/b'] } },
  { name: 'any type where the route says so', headers: ['Content-Type', 'a/b'], settings: { types: ['*/*'] } },
] satisfies Case[]) {
  test(`${one.name} is compressed`, () => {
    const { head, coding } = plan(one)
    assert.equal(coding, 'gzip')
    assert.equal(readField(head.headers, 'content-encoding'), 'gzip')
    assert.equal(readField(head.headers, 'content-length'), undefined)
    assert.deepEqual(readFields(head.headers, 'vary'), ['Accept-Encoding'])
  })
}

for (const one of [
  { name: 'what is encoded already', headers: [...JSON_TYPE, 'Content-Encoding', 'br'] },
  { name: 'a part', status: 206, headers: [...JSON_TYPE, 'Content-Range', 'bytes 0-1/2'] },
  { name: 'a part that cannot be had', status: 416, headers: [...JSON_TYPE, 'Content-Range', 'bytes */2'] },
  { name: 'no content', status: 204, headers: JSON_TYPE },
  { name: 'what has not changed', status: 304, headers: [...JSON_TYPE, 'ETag', '"a"'] },
  { name: 'what must not be transformed', headers: [...JSON_TYPE, 'Cache-Control', 'public, No-Transform'] },
  {
    name: 'what a later field forbids',
    headers: [...JSON_TYPE, 'Cache-Control', 'public', 'Cache-Control', 'no-transform'],
  },
  { name: 'what the client wants as it is', request: ['Cache-Control', 'no-transform'], headers: JSON_TYPE },
  { name: 'a short response', headers: [...JSON_TYPE, 'Content-Length', '1023'] },
  { name: 'an empty response', headers: [...JSON_TYPE, 'Content-Length', '0'], settings: { minBytes: 0 } },
  { name: 'a picture', headers: ['Content-Type', 'image/png'] },
  { name: 'a type that only begins like one of the list', headers: ['Content-Type', 'application/jsonx'] },
  { name: 'something without a type', headers: [] },
  { name: 'a type that is none', headers: ['Content-Type', 'text'] },
  { name: 'a type that the route does not list', headers: JSON_TYPE, settings: { types: ['text/*'] } },
  { name: 'content with a digest', headers: [...JSON_TYPE, 'Content-Digest', 'sha-256=:YQ==:'] },
] satisfies Case[]) {
  test(`${one.name} goes as it came`, () => {
    const { head, coding } = plan(one)
    assert.equal(coding, undefined)
    assert.deepEqual(head.headers, one.headers)
  })
}

test('a client that does not want it is told that others may', () => {
  const headers = [...JSON_TYPE, 'Content-Length', '5000', 'ETag', '"a"']
  const { head, coding } = plan({ name: '', accept: 'identity', headers })
  assert.equal(coding, undefined)
  assert.deepEqual(head.headers, [...headers, 'Vary', 'Accept-Encoding'])
})

for (const { name, vary, expected } of [
  { name: 'another Vary stays', vary: ['Origin'], expected: ['Origin', 'Accept-Encoding'] },
  { name: 'a Vary that says so is enough', vary: ['Origin, accept-encoding'], expected: ['Origin, accept-encoding'] },
  { name: 'a Vary of anything is enough', vary: ['*'], expected: ['*'] },
]) {
  test(name, () => {
    const { head } = plan({ name, headers: [...JSON_TYPE, ...vary.flatMap((value) => ['Vary', value])] })
    assert.deepEqual(readFields(head.headers, 'vary'), expected)
  })
}

test('a strong tag becomes a weak one, a weak one stays, and ranges are not offered', () => {
  for (const [given, sent] of [
    ['"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"'],
  ]) {
    const { head } = plan({ name: '', headers: [...JSON_TYPE, 'ETag', given ?? '', 'Accept-Ranges', 'bytes'] })
    assert.equal(readField(head.headers, 'etag'), sent)
    assert.equal(readField(head.headers, 'accept-ranges'), undefined)
  }
})

test('a 304 has the tag of what the client holds', () => {
  const headers = ['ETag', '"a"']
  const weak = plan({ name: '', status: 304, request: ['If-None-Match', '"b", W/"a"'], headers })
  assert.deepEqual(weak.head.headers, ['ETag', 'W/"a"', 'Vary', 'Accept-Encoding'])
  const strong = plan({ name: '', status: 304, request: ['If-None-Match', '"a"'], headers })
  assert.deepEqual(strong.head.headers, headers)
})

test('HEAD is not told a length that GET would not have', () => {
  const headers = [...JSON_TYPE, 'Content-Length', '5000', 'ETag', '"a"']
  const wanted = plan({ name: '', method: 'HEAD', headers })
  assert.equal(wanted.coding, undefined)
  assert.deepEqual(wanted.head.headers, [...JSON_TYPE, 'ETag', '"a"', 'Vary', 'Accept-Encoding'])
  const plain = plan({ name: '', method: 'HEAD', accept: 'identity', headers })
  assert.equal(readField(plain.head.headers, 'content-length'), '5000')
})
