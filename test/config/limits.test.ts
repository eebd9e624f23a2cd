import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

const KEY = 'ip, route, header:NAME or cookie:NAME'

function withLimit(...lines: readonly string[]): string {
  return ['server:', '  reverse_proxy:', '    - path: /a', ...lines.map((line) => `      ${line}`)].join('\n')
}

function build(text: string): Config {
  const draft = parseConfig(text, '/config.yaml', { env: {}, overrides: {} })
  const config = buildConfig(draft, new Map(), 0)
  assert.ok(config, JSON.stringify(draft.report.list()))
  return config
}

for (const { name, text, problems } of [
  {
    name: 'a burst is at least one',
    text: withLimit('rate_limit: { requests: 1, burst: 0 }'),
    problems: [
      '4:41 error invalid value 0 for server.reverse_proxy[0].rate_limit.burst | expected: a whole number from 1 to 1000000',
    ],
  },
  {
    name: 'a limit lets something pass',
    text: withLimit('rate_limit:', '  - { requests: 0 }'),
    problems: [
      '5:23 error invalid value 0 for server.reverse_proxy[0].rate_limit[0].requests | expected: a whole number from 1 to 1000000',
    ],
  },
  {
    name: 'a limit says how many',
    text: withLimit('rate_limit: { per: 1s }'),
    problems: [
      '4:7 error server.reverse_proxy[0].rate_limit.requests is missing | expected: a whole number from 1 to 1000000',
    ],
  },
  {
    name: 'an unknown key is told the nearest',
    text: withLimit('rate_limit: { requests: 1, key: headr:X-Key }'),
    problems: [
      `4:39 error invalid value "headr:X-Key" for server.reverse_proxy[0].rate_limit.key | expected: ${KEY} | hint: did you mean "header"?`,
    ],
  },
  {
    name: 'a header has a name',
    text: withLimit('rate_limit: { requests: 1, key: "header:" }'),
    problems: [
      '4:39 error invalid value "header:" for server.reverse_proxy[0].rate_limit.key | expected: the name of a header, as in header:X-Api-Key',
    ],
  },
  {
    name: 'a cookie has a name',
    text: withLimit('rate_limit: { requests: 1, key: cookie }'),
    problems: [
      '4:39 error invalid value "cookie" for server.reverse_proxy[0].rate_limit.key | expected: the name of a cookie, as in cookie:session',
    ],
  },
  {
    name: 'an address has none',
    text: withLimit('rate_limit: { requests: 1, key: "ip:64" }'),
    problems: [
      `4:39 error invalid value "ip:64" for server.reverse_proxy[0].rate_limit.key | expected: ${KEY} | hint: write only "ip"`,
    ],
  },
  {
    name: 'redis has to be configured',
    text: withLimit('rate_limit: { requests: 1, store: redis }'),
    problems: ['4:41 error store: redis needs server.redis | hint: add it: redis: { url: redis://localhost:6379 }'],
  },
  {
    name: 'a mistake in server.redis is told once',
    text: `${withLimit('rate_limit: { requests: 1, store: redis }')}\n  redis: { url: "http://x" }`,
    problems: [
      '5:17 error invalid value "http://x" for server.redis.url | expected: a URL such as redis://host:6379/0, or rediss:// for TLS',
    ],
  },
  {
    name: 'two limits of one key and one time are one too many',
    text: withLimit(
      'rate_limit:',
      '  - { requests: 1, key: "header:X-A" }',
      '  - { requests: 2, key: "header:x-a", per: 60s }',
    ),
    problems: [
      '6:11 error the limit on line 5 has the same key and the same time | expected: limits of one route that differ in key or per',
    ],
  },
  {
    name: 'several limits may have one key',
    text: withLimit(
      'rate_limit:',
      '  - { requests: 1, per: 1s }',
      '  - { requests: 20 }',
      '  - { requests: 9, key: route }',
    ),
    problems: [],
  },
  {
    name: 'a misspelled key of a limit is told the nearest',
    text: withLimit('rate_limit: { requests: 1, brust: 2 }'),
    problems: ['4:34 error unknown key "brust" in server.reverse_proxy[0].rate_limit | hint: did you mean "burst"?'],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text), problems))
}

test('a limit is built with its defaults', () => {
  const [route] = build(
    withLimit('rate_limit: { requests: 100 }', 'concurrency: 7', 'limits: { body_bytes: 1kb }'),
  ).routes
  assert.deepEqual(route?.rateLimits, [
    { requests: 100, perMs: 60_000, burst: 100, key: { kind: 'ip' }, dryRun: false, store: 'memory' },
  ])
  assert.equal(route?.concurrency, 7)
  assert.equal(route?.bodyBytes, 1024)
})

test('keys are built with their names', () => {
  const [route] = build(
    withLimit(
      'rate_limit:',
      ...['header:X-Key', 'cookie:Sid', 'route', 'ip'].map((key) => `  - { requests: 1, key: ${key} }`),
    ),
  ).routes
  assert.deepEqual(
    route?.rateLimits.map(({ key }) => key),
    [{ kind: 'header', name: 'x-key' }, { kind: 'cookie', name: 'Sid' }, { kind: 'route' }, { kind: 'ip' }],
  )
})

test('a route without limits has none, and the body limit of the server', () => {
  const [route] = build(withLimit()).routes
  assert.deepEqual([route?.rateLimits, route?.concurrency, route?.bodyBytes], [[], 0, undefined])
})

test('redis is built with its defaults', () => {
  const { redis } = build(`${withLimit()}\n  redis: { url: rediss://a:6380/2, password: p }`).server
  assert.deepEqual(redis, { url: 'rediss://a:6380/2', password: 'p', prefix: 'pyserve-ts:', timeoutMs: 50 })
})
