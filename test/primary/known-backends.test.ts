import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberConfig } from '../../src/config/config.ts'
import { findKnownBackend, listKnownBackends } from '../../src/primary/known-backends.ts'
import { NOTHING_DISCOVERED } from '../../src/upstream/discovery/discovered.ts'
import { checkOf } from '../health/check-config.ts'
import { builtConfig, upstreamOf } from '../helpers/built-config.ts'

const A: MemberConfig = { host: '10.0.0.1', port: 80, tls: undefined, weight: 1, backup: false }
const TLS = { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined }
const NAMED: MemberConfig = { ...A, host: 'many.test', discovery: 'addresses' }

const CONFIG = {
  ...builtConfig([{ name: 'web', action: { kind: 'proxy', upstream: upstreamOf({ name: 'web', backends: [A] }) } }]),
  upstreams: [
    upstreamOf({ name: 'api', backends: [A, { ...A, port: 81 }], healthCheck: checkOf({ port: 9000 }) }),
    upstreamOf({ name: 'safe', backends: [{ ...A, port: 81, tls: TLS }, NAMED], healthCheck: checkOf() }),
  ],
}
const FOUND = { ...NOTHING_DISCOVERED, addresses: { 'many.test': ['10.0.1.1', '10.0.1.2'] } }
const BACKENDS = listKnownBackends(CONFIG, FOUND)

test('a backend is known once, with all upstreams that have it', () => {
  assert.deepEqual(
    BACKENDS.map(({ name, upstreams }) => [name, ...upstreams]),
    [
      ['10.0.0.1:80', 'api', 'web'],
      ['10.0.0.1:81', 'api'],
      ['10.0.0.1:81', 'safe'],
      ['10.0.1.1:80', 'safe'],
      ['10.0.1.2:80', 'safe'],
    ],
  )
})

test('it is checked as its upstreams say, each address by itself', () => {
  const targets = BACKENDS.flatMap((backend) => backend.targets)
  assert.deepEqual(
    targets.map(({ host, port, hostField, tlsOptions }) => [host, port, hostField, tlsOptions !== undefined]),
    [
      ['10.0.0.1', 9000, '10.0.0.1', false],
      ['10.0.0.1', 9000, '10.0.0.1:81', false],
      ['10.0.0.1', 81, '10.0.0.1:81', true],
      ['10.0.1.1', 80, 'many.test', false],
      ['10.0.1.2', 80, 'many.test', false],
    ],
  )
})

for (const { wanted, index } of [
  { wanted: '10.0.0.1:80', index: 0 },
  { wanted: 'web/10.0.0.1:80', index: 0 },
  { wanted: 'API/10.0.0.1:80', index: 0 },
  { wanted: 'safe/10.0.0.1:81', index: 2 },
]) {
  test(`${wanted} is found`, () => assert.equal(findKnownBackend(BACKENDS, wanted), BACKENDS[index]))
}

for (const { wanted, problem } of [
  { wanted: '10.0.0.1:82', problem: 'there is no backend "10.0.0.1:82"; did you mean "10.0.0.1:80"?' },
  { wanted: 'nothing', problem: 'there is no backend "nothing"' },
  {
    wanted: '10.0.0.1:81',
    problem: 'several backends have the name "10.0.0.1:81": say api/10.0.0.1:81 or safe/10.0.0.1:81',
  },
]) {
  test(`${wanted} is not`, () => assert.throws(() => findKnownBackend(BACKENDS, wanted), { message: problem }))
}
