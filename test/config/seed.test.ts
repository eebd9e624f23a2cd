import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createCertificate } from '../helpers/certificates.ts'

const blocks = join(import.meta.dirname, '../system/seed')
const directory = mkdtempSync(join(tmpdir(), 'pyserve-seed-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const pair = createCertificate({ names: ['localhost'] })
mkdirSync(join(directory, 'ssl'))
writeFileSync(join(directory, 'ssl/cert.pem'), pair.certPem)
writeFileSync(join(directory, 'ssl/key.pem'), pair.keyPem)

async function load(name: string) {
  const file = join(directory, 'config.yaml')
  cpSync(join(blocks, `${name}.yaml`), file)
  const loaded = await loadConfig(file, { env: {}, overrides: {}, resolveHosts: false })
  assert.deepEqual(
    loaded.problems.filter(({ severity }) => severity !== 'note'),
    [],
  )
  assert.ok(loaded.ok)
  return loaded.config
}

/** `/api -> http://localhost:3000`. */
function describe({ path, action }: RouteConfig): string {
  assert.ok(action.kind === 'proxy' && typeof action.upstream !== 'string')
  const [backend] = action.upstream.backends
  assert.ok(backend !== undefined)
  const { host, port, tls } = backend
  return `${path} -> ${tls === undefined ? 'http' : 'https'}://${host}:${port}`
}

const BLOCKS = {
  overview: ['/api -> http://localhost:3000', '/ws -> http://localhost:8080', '/socket.io -> https://example.com:443'],
  http: ['/api -> http://api.internal:8000'],
  websocket: ['/ws -> http://ws.example.com:8080'],
  tls: ['/secure -> https://secure.example.com:443'],
  'api-gateway': [
    '/auth -> http://auth.internal:3000',
    '/api/v1 -> http://api.internal:8000',
    '/api/v2 -> http://api.internal:8001',
  ],
  chat: ['/ws/chat -> http://chat.internal:8080', '/ws/notifications -> http://notifications.internal:8081'],
  mixed: ['/api -> https://api.example.com:443', '/realtime -> https://ws.example.com:443'],
}

for (const [name, routes] of Object.entries(BLOCKS)) {
  test(`the block ${name} of PyServe's documentation is a configuration`, async () => {
    const config = await load(name)
    assert.deepEqual(config.routes.map(describe), routes)
    assert.ok(config.routes.every(({ stripPath, preserveHost }) => stripPath && !preserveHost))
  })
}

test('there is no other block', () => {
  assert.deepEqual(
    readdirSync(blocks).toSorted(),
    Object.keys(BLOCKS)
      .map((name) => `${name}.yaml`)
      .toSorted(),
  )
})

test('the block of TLS serves it on the one port', async () => {
  const { server, tls } = await load('tls')
  assert.deepEqual(server.listen, [{ host: '127.0.0.1', port: 8000, tls: true, redirectToTlsPort: undefined }])
  assert.equal(tls?.certificates[0]?.certPem, pair.certPem)
})
