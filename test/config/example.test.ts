import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config/load.ts'

const file = fileURLToPath(new URL('../../config.example.yaml', import.meta.url))

test('config.example.yaml has no problem, not even a warning', async () => {
  const loaded = await loadConfig(file, { env: {}, overrides: {}, resolveHosts: false })
  assert.deepEqual(loaded.problems, [])
  assert.ok(loaded.ok)
  assert.deepEqual(loaded.config.routes.map(({ path }) => path).sort(), [
    '/',
    '/api',
    '/api/v2',
    '/healthz',
    '/old',
    '/secure',
    '/ws',
  ])
})
