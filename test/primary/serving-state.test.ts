import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { drainLimitsOf, stopLimitsOf } from '../../src/primary/serving-state.ts'

test('idle clients have half the patience when a worker is replaced, and little at a stop', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'limits-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'config.yaml')
  writeFileSync(file, 'server: { timeouts: { drain: 20s, websocket_drain: 1m } }\n')
  const loaded = await loadConfig(file, { env: {}, overrides: {} })
  assert.ok(loaded.ok)
  const state = {
    snapshot: { version: 1, config: loaded.config, ticketKeys: '', stickySecret: '' },
    generation: 1,
    sockets: [],
  }
  assert.deepEqual(drainLimitsOf(state), { httpMs: 20_000, idleMs: 10_000, websocketMs: 60_000 })
  assert.deepEqual(stopLimitsOf(state), { httpMs: 20_000, idleMs: 2_000, websocketMs: 60_000 })
})
