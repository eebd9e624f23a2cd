import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBackend } from '../../src/upstream/backend.ts'
import { createHttpProxy3Engine } from '../../src/upstream/http-proxy-3-engine.ts'
import { startRawBackend } from '../helpers/raw-backend.ts'
import { answering, fetchFrom, OK } from './contract/setting.ts'
import { runEngineContract } from './engine-contract.ts'

runEngineContract('http-proxy-3', createHttpProxy3Engine)

test('the environment cannot turn the fetch path of http-proxy-3 on', async (t) => {
  process.env['FORCE_FETCH_PATH'] = 'true'
  t.after(() => delete process.env['FORCE_FETCH_PATH'])
  const engine = createHttpProxy3Engine()
  t.after(() => engine.close())
  const raw = await startRawBackend(t, answering(OK))
  const sink = await fetchFrom(engine, createBackend({ host: '127.0.0.1', port: raw.port, tls: undefined }))
  assert.deepEqual([sink.text, sink.connects.length], ['ok', 1])
})
