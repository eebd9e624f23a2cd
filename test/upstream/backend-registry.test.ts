import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackendConfig, BackendTls } from '../../src/config/config.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { deriveBackendKey } from '../../src/upstream/backend.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'

const TLS: BackendTls = {
  verify: true,
  serverName: undefined,
  caPem: undefined,
  certPem: undefined,
  keyPem: undefined,
}
const A: BackendConfig = { host: 'a.test', port: 80, tls: undefined }
const B: BackendConfig = { host: 'b.test', port: 80, tls: undefined }

for (const { name, config, key } of [
  { name: 'a plain backend', config: A, key: /^http:\/\/a\.test:80$/ },
  { name: 'a name in upper case', config: { ...A, host: 'A.Test' }, key: /^http:\/\/a\.test:80$/ },
  { name: 'an IPv6 address', config: { ...A, host: '::1' }, key: /^http:\/\/\[::1\]:80$/ },
  {
    name: 'one address of a name',
    config: { ...A, address: '10.0.0.1' },
    key: /^http:\/\/a\.test:80@10\.0\.0\.1$/,
  },
  { name: 'a TLS backend', config: { ...A, tls: TLS }, key: /^https:\/\/a\.test:80#[0-9a-f]{16}$/ },
]) {
  test(`the key of ${name} names it`, () => assert.match(deriveBackendKey(config), key))
}

test('any difference in the TLS settings makes another key', () => {
  const variants: BackendTls[] = [
    TLS,
    { ...TLS, verify: false },
    { ...TLS, serverName: 'x' },
    { ...TLS, caPem: 'x' },
    { ...TLS, certPem: 'x' },
    { ...TLS, keyPem: 'x' },
  ]
  const keys = variants.map((tls) => deriveBackendKey({ ...A, tls }))
  assert.equal(new Set([...keys, deriveBackendKey(A)]).size, variants.length + 1)
  assert.equal(deriveBackendKey({ ...A, tls: { ...TLS } }), keys[0])
})

test('a backend that the next snapshot names again keeps its history', () => {
  const registry = new BackendRegistry(new WorkerMetrics())
  const [first] = registry.acquire([A])
  assert.ok(first)
  first.state.inFlight = 3
  const [b, again] = registry.acquire([B, { ...A }])
  assert.equal(again, first)
  assert.notEqual(b, first)
})

test('equal settings are one backend within a snapshot', () => {
  const [first, second] = new BackendRegistry(new WorkerMetrics()).acquire([A, { ...A }])
  assert.equal(first, second)
})

test('backends that nothing names any more are told once, and come back without history', () => {
  const registry = new BackendRegistry(new WorkerMetrics())
  const [a, b] = registry.acquire([A, B])
  assert.ok(a && b)
  assert.deepEqual(registry.retain([b]), [a])
  assert.deepEqual(registry.retain([b]), [])
  const [again, kept] = registry.acquire([A, B])
  assert.notEqual(again, a)
  assert.equal(kept, b)
})

test('a snapshot that is given up leaves the backends of the old one', () => {
  const registry = new BackendRegistry(new WorkerMetrics())
  const old = registry.acquire([A])
  const refused = registry.acquire([A, B])
  assert.deepEqual(registry.retain(old), [refused[1]])
  assert.deepEqual(registry.acquire([A]), old)
})
