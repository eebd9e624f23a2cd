import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CorsConfig } from '../../src/config/cors-config.ts'
import { findHeader, type HeaderList, headerValues } from '../../src/header-list.ts'
import { createCorsGate, createPreflightGate } from '../../src/proxy/cors-gates.ts'
import { compileOrigins } from '../../src/proxy/origins.ts'
import { arrive } from './arrival-stage.ts'

const APP = 'https://app.example.com'
const CONFIG: CorsConfig = {
  origins: [APP, 'https://*.partner.example:8443'],
  methods: ['GET', 'PUT'],
  headers: [],
  exposeHeaders: [],
  credentials: false,
  maxAgeMs: 600_000,
}

/** The head that a client gets for one by a backend. */
function respond(config: Partial<CorsConfig>, origin: string | undefined, headers: HeaderList): HeaderList {
  const { arrival, responder } = arrive({ headers: origin === undefined ? [] : ['Origin', origin] })
  assert.equal(createCorsGate({ ...CONFIG, ...config }).enter(arrival), undefined)
  arrival.responder.head({ status: 200, statusText: 'OK', headers })
  return responder.sent.head?.headers ?? []
}

/** What a preflight is answered; undefined where it is none. */
async function preflight(config: Partial<CorsConfig>, headers: HeaderList, method = 'OPTIONS') {
  const { arrival } = arrive({ method, headers })
  const verdict = await createPreflightGate({ ...CONFIG, ...config }).enter(arrival)
  if (verdict === undefined) return undefined
  assert.ok(verdict.kind === 'respond')
  assert.equal(verdict.status, 204)
  assert.equal(verdict.body.length, 0)
  return verdict.headers
}

for (const { origin, isIn } of [
  { origin: APP, isIn: true },
  { origin: 'HTTPS://App.Example.Com', isIn: true },
  { origin: 'http://app.example.com', isIn: false },
  { origin: 'https://app.example.com:444', isIn: false },
  { origin: 'https://app.example.com.evil.example', isIn: false },
  { origin: 'https://evilapp.example.com', isIn: false },
  { origin: 'https://a.partner.example:8443', isIn: true },
  { origin: 'https://a.b.partner.example:8443', isIn: true },
  { origin: 'https://partner.example:8443', isIn: false },
  { origin: 'https://.partner.example:8443', isIn: false },
  { origin: 'https://evilpartner.example:8443', isIn: false },
  { origin: 'https://evil.example/.partner.example:8443', isIn: false },
  { origin: 'https://evil.example:1@a.partner.example:8443', isIn: false },
  { origin: 'null', isIn: false },
  { origin: '', isIn: false },
]) {
  test(`the origin ${JSON.stringify(origin)} is ${isIn ? '' : 'not '}meant`, () => {
    assert.equal(compileOrigins(CONFIG.origins).has(origin), isIn)
    assert.equal(compileOrigins(['*']).has(origin), true)
  })
}

test('an allowed origin is named, in place of what the backend says', () => {
  const backend = ['Access-Control-Allow-Origin', '*', 'access-control-max-age', '1', 'Content-Type', 'a/b']
  const more = { credentials: true, exposeHeaders: ['X-Total', 'ETag'] }
  assert.deepEqual(respond(more, APP, backend), [
    'Content-Type',
    'a/b',
    'Access-Control-Allow-Origin',
    APP,
    'Access-Control-Allow-Credentials',
    'true',
    'Access-Control-Expose-Headers',
    'X-Total, ETag',
    'Vary',
    'Origin',
  ])
})

for (const origin of ['https://evil.example', undefined]) {
  test(`the origin ${origin} is allowed nothing, and caches are told why`, () => {
    const fields = respond({ credentials: true }, origin, ['Access-Control-Allow-Origin', 'https://evil.example'])
    assert.deepEqual(fields, ['Vary', 'Origin'])
  })
}

for (const { vary, values } of [
  { vary: ['Vary', 'Accept'], values: ['Accept', 'Origin'] },
  { vary: ['Vary', 'Accept, origin'], values: ['Accept, origin'] },
  { vary: ['Vary', 'Accept', 'vary', 'ORIGIN'], values: ['Accept', 'ORIGIN'] },
  { vary: ['Vary', '*'], values: ['*'] },
]) {
  test(`Vary says origin once: ${vary}`, () => {
    assert.deepEqual(headerValues(respond({}, APP, vary), 'vary'), values)
  })
}

test('where any origin may read, the answer is the same for all', () => {
  for (const origin of [APP, undefined]) {
    assert.deepEqual(respond({ origins: ['*'] }, origin, []), ['Access-Control-Allow-Origin', '*'])
  }
})

test('an upgrade is left as it is', () => {
  const { arrival, responder } = arrive({ headers: ['Origin', APP] })
  const upgrade = { ...arrival, upgrade: {} as NonNullable<typeof arrival.upgrade> }
  assert.equal(createCorsGate(CONFIG).enter(upgrade), undefined)
  assert.equal(upgrade.responder, responder)
})

test('a preflight is told what is allowed', async () => {
  const asking = ['Origin', APP, 'Access-Control-Request-Method', 'PUT', 'Access-Control-Request-Headers', 'x-a, x-b']
  assert.deepEqual(await preflight({ credentials: true }, asking), [
    'Access-Control-Allow-Origin',
    APP,
    'Access-Control-Allow-Credentials',
    'true',
    'Access-Control-Allow-Methods',
    'GET, PUT',
    'Access-Control-Max-Age',
    '600',
    'Access-Control-Allow-Headers',
    'x-a, x-b',
    'Vary',
    'Origin, Access-Control-Request-Headers',
  ])
  const fixed = await preflight({ headers: ['X-C'], origins: ['*'] }, asking)
  assert.equal(findHeader(fixed ?? [], 'access-control-allow-origin'), '*')
  assert.equal(findHeader(fixed ?? [], 'access-control-allow-headers'), 'X-C')
  assert.equal(findHeader(fixed ?? [], 'vary'), undefined)
})

test('a preflight of another origin is told nothing', async () => {
  const asking = ['Origin', 'https://evil.example', 'Access-Control-Request-Method', 'GET']
  assert.deepEqual(await preflight({}, asking), ['Vary', 'Origin, Access-Control-Request-Headers'])
})

for (const { name, headers, method } of [
  { name: 'OPTIONS without a method that is asked for', headers: ['Origin', APP], method: 'OPTIONS' },
  { name: 'OPTIONS without an origin', headers: ['Access-Control-Request-Method', 'PUT'], method: 'OPTIONS' },
  { name: 'a GET', headers: ['Origin', APP, 'Access-Control-Request-Method', 'PUT'], method: 'GET' },
]) {
  test(`${name} is no preflight`, async () => {
    assert.equal(await preflight({}, headers, method), undefined)
  })
}

test('whatever a preflight asks for, its answer has one origin that was allowed and names only', async () => {
  const name = fc.string({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constant(APP), name),
      name,
      fc.string({ maxLength: 9_000 }),
      async (origin, asked, names) => {
        const headers = [
          'Origin',
          origin,
          'Access-Control-Request-Method',
          asked,
          'Access-Control-Request-Headers',
          names,
        ]
        const fields = (await preflight({}, headers)) ?? []
        assert.deepEqual(headerValues(fields, 'access-control-allow-origin'), origin === APP ? [APP] : [])
        assert.deepEqual(headerValues(fields, 'access-control-allow-methods'), origin === APP ? ['GET, PUT'] : [])
        for (const part of fields) assert.match(part, /^[\x20-\x7e\t]{1,4096}$/)
      },
    ),
  )
})

test('a chunk whose memory may be used again is not held back', () => {
  const { arrival, responder } = arrive()
  assert.equal(createCorsGate(CONFIG).enter(arrival), undefined)
  assert.equal(arrival.responder.hasConsumed?.(), false)
  Object.assign(responder, { hasConsumed: () => true })
  assert.equal(arrival.responder.hasConsumed?.(), true)
})
