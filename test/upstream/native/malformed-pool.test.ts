import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBackend } from '../../../src/upstream/backend.ts'
import { createNativeEngine } from '../../../src/upstream/native/native-engine.ts'
import { startRawBackend } from '../../helpers/raw-backend.ts'
import { fetchFrom } from '../contract/setting.ts'
import { brokenResponses, cutsOf, modelResponses } from './response-model.ts'

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'

const broken = brokenResponses.chain(({ method, bytes }) =>
  cutsOf(bytes.length).map((cuts) => ({ method, bytes, cuts: cuts.slice(0, 3) })),
)
const followed = modelResponses.map(({ method, bytes }) => ({ method, bytes: bytes + EVIL, cuts: [] }))

test('whatever a backend sends, the next requests on its pool get their own responses', async (t) => {
  let script: { bytes: string; cuts: readonly number[] } = { bytes: '', cuts: [] }
  const raw = await startRawBackend(t, async (connection) => {
    for (;;) {
      const [, path = ''] = (await connection.readHead()).line.split(' ')
      if (path !== '/bad') {
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
        continue
      }
      const { bytes, cuts } = script
      let from = 0
      for (const cut of [...cuts, bytes.length]) {
        await connection.flush(bytes.slice(from, Math.max(from, cut)))
        from = Math.max(from, cut)
      }
    }
  })
  const engine = createNativeEngine()
  t.after(() => engine.close())
  const backend = createBackend({ host: '127.0.0.1', port: raw.port, tls: undefined })
  const timeouts = { responseMs: 30, idleMs: 30 }
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(broken, followed), async ({ method, bytes, cuts }) => {
      script = { bytes, cuts }
      await fetchFrom(engine, backend, { method, path: '/bad', timeouts })
      for (const _ of [1, 2]) {
        const path = `/own/${count++}`
        const sink = await fetchFrom(engine, backend, { path })
        // Where the response was whole in spite of all, what came behind it may cost the next one its connection.
        assert.equal(sink.failure === undefined ? sink.text : path, path)
      }
    }),
    { numRuns: 400 },
  )
})
