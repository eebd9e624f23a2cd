import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

const EXPECTED = 'expected: an origin such as https://app.example.com, https://*.example.com, or *'

const route = (keys: string) => `server:\n  reverse_proxy:\n    - { path: /a, ${keys} }\n`

function originsOf(...origins: string[]) {
  const text = route(`cors: { origins: ${JSON.stringify(origins)} }`)
  const draft = parseConfig(text, '/config.yaml', { env: {}, overrides: {} })
  return buildConfig(draft, new Map(), 0)?.routes[0]?.cors?.origins
}

test('an origin is compared as browsers write it', () => {
  const given = ['HTTPS://App.Example.com:443', 'http://localhost:80', 'http://localhost:3000', 'https://[::1]:8443']
  const written = ['https://app.example.com', 'http://localhost', 'http://localhost:3000', 'https://[::1]:8443']
  assert.deepEqual(originsOf(...given), written)
  assert.deepEqual(originsOf('https://*.Example.com', '*'), ['https://*.example.com', '*'])
  assert.deepEqual(originsOf('https://bücher.example'), ['https://xn--bcher-kva.example'])
})

for (const { origin, detail } of [
  { origin: 'https://a.example/', detail: `${EXPECTED} | hint: an origin has no path: "https://a.example"` },
  { origin: 'https://a.example/x?y', detail: `${EXPECTED} | hint: an origin has no path: "https://a.example"` },
  { origin: 'a.example:8080', detail: `${EXPECTED} | hint: did you mean "https://a.example:8080"?` },
  { origin: 'https://', detail: EXPECTED },
  { origin: 'https://a.*.example', detail: EXPECTED },
  { origin: 'https://a.example:99999', detail: EXPECTED },
  { origin: 'https://me@a.example', detail: EXPECTED },
  { origin: 'null', detail: `${EXPECTED} | hint: any page can make its origin null: no origin can be told by it` },
]) {
  test(`${origin} is no origin`, () => {
    assert.deepEqual(problemsOf(route(`cors: { origins: ["${origin}"] }`)), [
      `3:37 error invalid value "${origin}" for server.reverse_proxy[0].cors.origins[0] | ${detail}`,
    ])
  })
}

test('credentials go to nobody where anybody may ask', () => {
  assert.deepEqual(problemsOf(route('cors: { origins: [https://a.example, "*"], credentials: true }')), [
    '3:56 error no browser sends credentials where any origin may read | expected: the origins that are trusted, or credentials: false',
  ])
})

test('it says who, and names what is named', () => {
  assert.deepEqual(problemsOf(route('cors: { origins: [] }')), [
    '3:36 error invalid value […] for server.reverse_proxy[0].cors.origins | expected: a list with at least one origin',
  ])
  assert.deepEqual(problemsOf(route('cors: { origins: ["*"], headers: [a b], methods: [G/T] }')), [
    '3:53 error invalid value "a b" for server.reverse_proxy[0].cors.headers[0] | expected: a header name of letters, digits and hyphens',
    '3:69 error invalid value "G/T" for server.reverse_proxy[0].cors.methods[0] | expected: an HTTP method such as GET',
  ])
})
