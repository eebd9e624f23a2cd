import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import type { BackendTls } from '../../../src/config/config.ts'
import { createBackend } from '../../../src/upstream/backend.ts'
import type { ResolveHost } from '../../../src/upstream/native/address-cache.ts'
import { createNativeEngine } from '../../../src/upstream/native/native-engine.ts'
import { openBlackHole } from '../../helpers/black-hole.ts'
import { createCertificate } from '../../helpers/certificates.ts'
import { findClosedPort, startRawBackend } from '../../helpers/raw-backend.ts'
import { answering, fetchFrom, OK, send } from '../contract/setting.ts'

const LISTENING: LookupAddress = { address: '127.0.0.1', family: 4 }
const REFUSING: LookupAddress = { address: '127.0.0.2', family: 4 }

test('every address of a name is tried until one answers', async (t) => {
  const raw = await startRawBackend(t, answering(OK))
  const { engine, at } = arrangeNames(t, [REFUSING, LISTENING])
  const sink = await fetchFrom(engine, at(raw.port))
  assert.equal(sink.text, 'ok')
})

test('over TLS too, and the name that is checked is that of the backend', async (t) => {
  const { certPem, keyPem } = createCertificate({ names: ['backend.test'] })
  const raw = await startRawBackend(t, answering(OK), { cert: certPem, key: keyPem })
  const { engine, at } = arrangeNames(t, [REFUSING, LISTENING])
  const tls = { verify: true, serverName: undefined, caPem: certPem, certPem: undefined, keyPem: undefined }
  assert.equal((await fetchFrom(engine, at(raw.port, tls))).text, 'ok')
  assert.equal((await fetchFrom(engine, at(raw.port, { ...tls, serverName: 'x.test' }))).failure?.reason, 'tls_failed')
})

test('where none answers the failure tells of all of them', async (t) => {
  const { engine, at } = arrangeNames(t, [REFUSING, LISTENING])
  const { failure } = await fetchFrom(engine, at(await findClosedPort()))
  assert.equal(failure?.reason, 'connect_failed')
  assert.match(failure.cause.message, /127\.0\.0\.2.*127\.0\.0\.1/)
})

test('an address that is silent does not keep the next one waiting for long', async (t) => {
  const port = await openBlackHole(t)
  const server = createServer((socket) => socket.end(OK)).listen(port, REFUSING.address)
  await once(server, 'listening')
  t.after(() => server.close())
  const { engine, at } = arrangeNames(t, [LISTENING, REFUSING])
  const startedMs = performance.now()
  assert.equal((await fetchFrom(engine, at(port))).text, 'ok')
  assert.ok(performance.now() - startedMs < 2_000)
})

test('an attempt that is aborted between two addresses is over', async (t) => {
  const port = await openBlackHole(t)
  const { engine, at } = arrangeNames(t, [LISTENING, REFUSING])
  const { attempt, sink } = send(engine, at(port))
  await pass(50)
  attempt.abort()
  assert.deepEqual(engine.poolUse(at(port)), { busy: 0, idle: 0 })
  await pass(400)
  assert.deepEqual(sink.calls, [])
})

test('a name is looked up once for many connections', async (t) => {
  const raw = await startRawBackend(t, answering(OK))
  const { engine, at, asked } = arrangeNames(t, [LISTENING])
  const sinks = await Promise.all(Array.from({ length: 20 }, () => fetchFrom(engine, at(raw.port))))
  assert.ok(sinks.every(({ text }) => text === 'ok'))
  assert.ok(raw.connections.length > 1)
  assert.deepEqual(asked, ['backend.test'])
})

test('a port that is none fails as one where nobody listens', async (t) => {
  const { engine, at } = arrangeNames(t, [LISTENING])
  const { failure } = await fetchFrom(engine, at(99_999))
  assert.deepEqual([failure?.reason, failure?.requestSent], ['connect_failed', false])
  assert.deepEqual(engine.poolUse(at(99_999)), { busy: 0, idle: 0 })
})

function arrangeNames(t: TestContext, addresses: readonly LookupAddress[]) {
  const asked: string[] = []
  const resolveHost: ResolveHost = (host, callback) => {
    asked.push(host)
    setImmediate(callback, null, addresses)
  }
  const engine = createNativeEngine({ resolveHost })
  t.after(() => engine.close())
  const at = (port: number, tls?: BackendTls) => createBackend({ host: 'backend.test', port, tls })
  return { engine, at, asked }
}
