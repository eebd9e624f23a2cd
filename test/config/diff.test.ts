import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { KEY_VALUES, planReload } from '../../src/config/diff.ts'
import { loadConfig } from '../../src/config/load.ts'
import { fileSchema } from '../../src/config/schema/file.ts'
import { listKeys } from '../../src/config/schema/walk.ts'
import { createCertificate } from '../helpers/certificates.ts'

const directory = mkdtempSync(join(tmpdir(), 'pyserve-diff-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const first = createCertificate({ names: ['a.com'] })
const second = createCertificate({ names: ['b.com'] })
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')

async function load(text: string, name = 'config.yaml'): Promise<Config> {
  const file = join(directory, name)
  writeFileSync(file, text)
  const loaded = await loadConfig(file, { env: {}, overrides: {}, resolveHosts: false })
  assert.ok(loaded.ok, JSON.stringify(loaded.problems))
  return loaded.config
}

const UNCHANGED = { added: [], changed: [], removed: [] }

const BASE = `server:
  workers: 2
  reverse_proxy:
    - { path: /a, host: a }
    - { path: /b, host: b }
`

test('equal configurations need nothing, wherever the file lies and in whatever order the routes are', async () => {
  const reordered = 'server: { workers: 2, reverse_proxy: [{ host: b, path: /b/ }, { path: /a, host: a, port: 80 }] }\n'
  assert.deepEqual(planReload(await load(BASE), await load(reordered, 'other.yaml')), {
    kind: 'none',
    routes: UNCHANGED,
    changedKeys: [],
    reasons: [],
  })
})

test('routes are swapped, and told by name', async () => {
  const changed = `server:
  workers: 2
  reverse_proxy:
    - { path: /d, host: d }
    - { path: /c, host: c }
    - { path: /a, host: a, timeouts: { idle: 5s } }
`
  assert.deepEqual(planReload(await load(BASE), await load(changed)), {
    kind: 'swap',
    routes: { added: ['/c', '/d'], changed: ['/a'], removed: ['/b'] },
    changedKeys: [],
    reasons: [],
  })
})

for (const { key, kind, text, keys = [key], reasons } of [
  { key: 'server.timeouts.drain', kind: 'swap', text: 'server: { workers: 2, timeouts: { drain: 5s } }', reasons: [] },
  {
    key: 'server.limits.body_bytes',
    kind: 'swap',
    text: 'server: { workers: 2, limits: { body_bytes: 5 } }',
    reasons: [],
  },
  { key: 'server.trusted_proxies', kind: 'swap', text: 'server: { workers: 2, trusted_proxies: [::1] }', reasons: [] },
  {
    key: 'server.redirect_instructions',
    kind: 'swap',
    text: 'server: { workers: 2, redirect_instructions: { /a: /b } }',
    reasons: [],
  },
  { key: 'logging.level', kind: 'swap', text: 'server: { workers: 2 }\nlogging: { level: DEBUG }', reasons: [] },
  { key: 'logging.log_file', kind: 'swap', text: 'server: { workers: 2 }\nlogging: { log_file: a.log }', reasons: [] },
  {
    key: 'admin',
    kind: 'swap',
    text: 'server: { workers: 2 }\nadmin: { host: "::1", port: 9180 }',
    keys: ['admin.host', 'admin.port'],
    reasons: [],
  },
  {
    key: 'server.workers',
    kind: 'scale',
    text: 'server: { workers: 3 }',
    reasons: ['server.workers changed from 2 to 3'],
  },
  {
    key: 'a swap and a scale together',
    kind: 'scale',
    text: 'server: { workers: 3 }\nlogging: { access: false }',
    keys: ['server.workers', 'logging.access'],
    reasons: ['server.workers changed from 2 to 3'],
  },
  {
    key: 'server.host',
    kind: 'roll',
    text: 'server: { workers: 2, host: [127.0.0.1, ::1] }',
    reasons: ['server.host changed from 127.0.0.1 to 127.0.0.1, ::1'],
  },
  {
    key: 'server.port',
    kind: 'roll',
    text: 'server: { workers: 2, port: 9000 }',
    reasons: ['server.port changed from 8000 to 9000'],
  },
  {
    key: 'server.backlog',
    kind: 'roll',
    text: 'server: { workers: 2, backlog: 9 }',
    reasons: ['server.backlog changed from 511 to 9'],
  },
  {
    key: 'a scale and a roll together',
    kind: 'roll',
    text: 'server: { workers: 3, backlog: 9 }',
    keys: ['server.backlog', 'server.workers'],
    reasons: ['server.backlog changed from 511 to 9', 'server.workers changed from 2 to 3'],
  },
]) {
  test(`${key} needs a ${kind}`, async () => {
    const plan = planReload(await load('server: { workers: 2 }'), await load(text))
    assert.deepEqual(plan, { kind, routes: UNCHANGED, changedKeys: keys, reasons })
  })
}

test('TLS that is switched on needs a roll', async () => {
  const ssl = `ssl: { enabled: true, cert_file: ${first.certFile}, key_file: ${first.keyFile}, port: 8443, redirect_http: true }\n`
  const plan = planReload(await load(''), await load(ssl))
  assert.equal(plan.kind, 'roll')
  assert.deepEqual(plan.changedKeys, ['ssl.enabled', 'ssl.port', 'ssl.redirect_http', 'ssl.certificates'])
  assert.deepEqual(plan.reasons.at(-1), 'new certificate or key for a.com')
})

test('a certificate that was replaced under the same name needs a roll', async () => {
  const ssl = 'ssl: { enabled: true, cert_file: cert.pem, key_file: key.pem }\n'
  cpSync(first.certFile, certFile)
  cpSync(first.keyFile, keyFile)
  const before = await load(ssl)
  cpSync(second.certFile, certFile)
  cpSync(second.keyFile, keyFile)
  assert.deepEqual(planReload(before, await load(ssl)), {
    kind: 'roll',
    routes: UNCHANGED,
    changedKeys: ['ssl.certificates'],
    reasons: ['new certificate or key for b.com'],
  })
})

test('the same certificate in another file is nothing', async () => {
  cpSync(first.certFile, certFile)
  cpSync(first.keyFile, keyFile)
  const before = await load('ssl: { enabled: true, cert_file: cert.pem, key_file: key.pem }\n')
  const after = await load(`ssl: { enabled: true, cert_file: ${first.certFile}, key_file: ${first.keyFile} }\n`)
  assert.equal(planReload(before, after).kind, 'none')
})

test('authorities of a backend that were replaced are a change of their route', async () => {
  const text = 'server: { reverse_proxy: [{ path: /a, ssl: { ca_file: cert.pem } }] }\n'
  cpSync(first.certFile, certFile)
  const before = await load(text)
  cpSync(second.certFile, certFile)
  const plan = planReload(before, await load(text))
  assert.deepEqual([plan.kind, plan.routes.changed], ['swap', ['/a']])
})

test('routes are told whose own backends changed, and shared groups by their key', async () => {
  const text = (own: number, shared: number) => `server:
  upstreams:
    g: { backends: [{ host: a }, { host: b, weight: ${shared} }] }
  reverse_proxy:
    - { path: /own, backends: [{ host: a }, { host: b, weight: ${own} }] }
    - { path: /shared, upstream: g }
`
  const before = await load(text(1, 1))
  const own = planReload(before, await load(text(2, 1)))
  assert.deepEqual([own.kind, own.routes.changed, own.changedKeys], ['swap', ['/own'], []])
  const shared = planReload(before, await load(text(1, 2)))
  assert.deepEqual([shared.kind, shared.routes.changed, shared.changedKeys], ['swap', [], ['server.upstreams']])
})

test('every key of the schema that changes something is compared', () => {
  const inRoutes = (name: string) => name.startsWith('server.reverse_proxy') || name.includes('<name>')
  const asCertificates = [
    'ssl.cert_file',
    'ssl.key_file',
    'ssl.certificates[].cert_file',
    'ssl.certificates[].key_file',
  ]
  const expected = listKeys(fileSchema)
    .filter(({ name, traits }) => traits.change !== 'none' && !inRoutes(name) && !asCertificates.includes(name))
    .map(({ name }) => name)
  assert.deepEqual(Object.keys(KEY_VALUES).toSorted(), expected.toSorted())
})

test('no value of the configuration can change unseen', async () => {
  const ssl = `ssl: { enabled: true, cert_file: ${first.certFile}, key_file: ${first.keyFile}, port: 8443 }\n`
  const groups = `  upstreams:
    g: { backends: [{ host: g }, { host: h }], load_balancing: header_hash:x, sticky: { cookie: c, secret: ${'s'.repeat(16)} } }
`
  const config = await load(BASE.replace('path: /b, host: b', 'path: /b, upstream: g') + groups + ssl)
  // Names and paths of files follow from other values, or mean nothing to who serves.
  const ignored = /^file$|\.(?:certFile|keyFile|names)\b/
  const unseen = listPlaces(config)
    .filter((path) => !ignored.test(path.join('.')))
    .filter((path) => planReload(config, changeAt(config, path)).kind === 'none')
  assert.deepEqual(unseen, [])
})

type Place = readonly (string | number)[]

function listPlaces(value: unknown, path: Place = []): Place[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item, i) => listPlaces(item, [...path, i]))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path]
  return Object.entries(value).flatMap(([key, item]) => listPlaces(item, [...path, key]))
}

function changeAt(config: Config, path: Place): Config {
  const copy = structuredClone(config)
  const parent = path.slice(0, -1).reduce<never>((value, step) => value[step] as never, copy as never) as Record<
    string | number,
    unknown
  >
  const last = path.at(-1) ?? ''
  const value = parent[last]
  parent[last] = typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : ['changed']
  return copy
}
