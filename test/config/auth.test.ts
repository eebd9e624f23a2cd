import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

const URL_EXPECTED = 'expected: an http(s) URL such as http://127.0.0.1:9000/verify'

function asking(forward: string): string {
  return `server:\n  reverse_proxy:\n    - path: /a\n      auth: { forward: ${forward} }\n`
}

for (const { forward, problems } of [
  { forward: '{ url: http://a.internal/verify, copy_headers: [X-User], timeout: 1s }', problems: [] },
  { forward: '{ url: "https://a.internal:9443", ssl: { verify: false } }', problems: [] },
  {
    forward: '{ copy_headers: [X-User] }',
    problems: [`4:15 error server.reverse_proxy[0].auth.forward.url is missing | ${URL_EXPECTED}`],
  },
  {
    forward: '{ url: ftp://a }',
    problems: [`4:31 error invalid value "ftp://a" for server.reverse_proxy[0].auth.forward.url | ${URL_EXPECTED}`],
  },
  {
    forward: '{ url: /verify }',
    problems: [`4:31 error invalid value "/verify" for server.reverse_proxy[0].auth.forward.url | ${URL_EXPECTED}`],
  },
  {
    forward: '{ url: "http://a/#x" }',
    problems: [
      '4:31 error invalid value "http://a/#x" for server.reverse_proxy[0].auth.forward.url | expected: a URL without a fragment',
    ],
  },
  {
    forward: '{ url: "http://me:secret@a/" }',
    problems: [
      '4:31 error invalid value "http://me:secret@a/" for server.reverse_proxy[0].auth.forward.url | expected: a URL without name and password',
    ],
  },
  {
    forward: '{ url: http://a, ssl: { verify: false } }',
    problems: [
      '4:41 error ssl has no meaning where the URL says http | hint: write https in the URL, or leave ssl out',
    ],
  },
  {
    forward: '{ url: https://a, ssl: { cert_file: c.pem } }',
    problems: ['4:49 error cert_file needs key_file beside it'],
  },
  {
    forward: '{ url: http://a, copy_headers: [X-User, "a b", Host, X-Forwarded-For, transfer-encoding] }',
    problems: [
      '4:64 error invalid value "a b" for server.reverse_proxy[0].auth.forward.copy_headers[1] | expected: a header name of letters, digits and hyphens',
    ],
  },
  {
    forward: '{ url: http://a, copy_headers: [X-User, Host, X-Forwarded-For, transfer-encoding] }',
    problems: [
      '4:64 error the header Host is decided by the proxy alone',
      '4:70 error the header X-Forwarded-For is decided by the proxy alone',
      '4:87 error the header transfer-encoding is decided by the proxy alone',
    ],
  },
]) {
  test(`who is asked: ${forward}`, () => {
    assert.deepEqual(problemsOf(asking(forward)), problems)
  })
}

test('a URL says where the service is, and what it is asked', () => {
  const text = asking('{ url: "HTTPS://[::1]/verify?a=b", copy_headers: [X-User, x-user] }')
  const draft = parseConfig(text, '/config.yaml', { env: {}, overrides: {} })
  const config = buildConfig(draft, new Map(), 0)
  const { forwardAuth } = config?.routes[0] ?? {}
  assert.equal(forwardAuth?.path, '/verify?a=b')
  assert.deepEqual([forwardAuth.backend.host, forwardAuth.backend.port], ['::1', 443])
  assert.equal(forwardAuth.backend.tls?.verify, true)
  assert.deepEqual(forwardAuth.copyHeaders, ['x-user'])
})
