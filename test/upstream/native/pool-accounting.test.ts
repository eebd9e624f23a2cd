import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createBackend } from '../../../src/upstream/backend.ts'
import type { AttemptTimeouts } from '../../../src/upstream/engine.ts'
import { createNativeEngine } from '../../../src/upstream/native/native-engine.ts'
import { type RawConnection, startRawBackend } from '../../helpers/raw-backend.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { waitFor } from '../../helpers/wait.ts'
import { OK, type RequestOptions, type Sent, send } from '../contract/setting.ts'

const SHORT_MS = 20
const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'

/** What the backend does with a request, by its path; what it leaves undone ends with a limit or an abort. */
const ANSWERS: Readonly<Record<string, (connection: RawConnection) => unknown>> = {
  '/ok': (connection) => connection.write(OK),
  '/chunked': (connection) =>
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX-A: b\r\n\r\n'),
  '/closing': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  '/to-close': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\nok'),
  '/then-fin': ({ socket }) => socket.end(OK),
  '/then-rst': async (connection) => {
    await connection.flush(OK)
    connection.socket.resetAndDestroy()
  },
  '/then-more': (connection) => connection.write(`${OK}EVIL`),
  '/fin': ({ socket }) => socket.end(),
  '/rst': ({ socket }) => socket.resetAndDestroy(),
  '/half-then-fin': ({ socket }) => socket.end(HALF),
  '/half-then-rst': async (connection) => {
    await connection.flush(HALF)
    connection.socket.resetAndDestroy()
  },
  '/malformed': (connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'),
  '/garbage': (connection) => connection.write('SSH-2.0-x\r\n'),
  '/silent': () => {},
  '/half': (connection) => connection.write(HALF),
}

/** When the attempt is aborted; it ends by itself where that moment does not come. */
const ABORTS: readonly ((sent: Sent) => unknown)[] = [
  () => {},
  ({ attempt }) => attempt.abort(),
  ({ attempt }) => process.nextTick(() => attempt.abort()),
  ({ attempt }) => setImmediate(() => attempt.abort()),
  ({ attempt, sink }) => sink.opened.then(() => attempt.abort()),
  ({ attempt, sink }) => sink.headReceived.then(() => attempt.abort()),
]

const BODIES: readonly (() => Pick<RequestOptions, 'body' | 'method'>)[] = [
  () => ({ body: undefined }),
  () => ({ body: undefined, method: 'POST' }),
  () => ({ body: ScriptedBody.of(['abc'], 3), method: 'POST' }),
  () => ({ body: ScriptedBody.of(['abc']), method: 'PUT' }),
  () => ({ body: ScriptedBody.of(['abc'], 9), method: 'PUT' }),
  () => ({ body: new ScriptedBody(), method: 'POST' }),
]

const steps = fc.record({
  path: fc.constantFrom(...Object.keys(ANSWERS)),
  abort: fc.nat(ABORTS.length - 1),
  body: fc.nat(BODIES.length - 1),
  holds: fc.boolean(),
  waits: fc.boolean(),
})

test('after any sequence of completions, aborts, limits and deaths nothing is counted that is not there', async (t) => {
  const { run, raw, use, engine } = await arrangePool(t)
  const openConnections = () => raw.connections.filter(({ socket }) => !socket.destroyed).length
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 10 }), async (sequence) => {
      const under: Promise<unknown>[] = []
      for (const step of sequence) {
        under.push(run(step))
        if (step.waits) await Promise.all(under)
      }
      await Promise.all(under)
      await waitFor(() => use().busy === 0 && use().idle === openConnections(), {
        what: `${JSON.stringify(use())} to be the ${openConnections()} open connections`,
      })
    }),
    { numRuns: 40, endOnFailure: true },
  )
  engine.close()
  await waitFor(() => openConnections() === 0, { what: 'every connection to close' })
  assert.deepEqual(use(), { busy: 0, idle: 0 })
})

async function arrangePool(t: TestContext) {
  const raw = await startRawBackend(t, async (connection) => {
    for (;;) {
      const [, path = ''] = (await connection.readHead()).line.split(' ')
      await ANSWERS[path]?.(connection)
    }
  })
  const engine = createNativeEngine()
  t.after(() => engine.close())
  const backend = createBackend({ host: '127.0.0.1', port: raw.port, tls: undefined })
  const timeouts: AttemptTimeouts = { connectMs: 10_000, responseMs: SHORT_MS, idleMs: SHORT_MS }
  const run = async (step: { path: string; abort: number; body: number; holds: boolean }) => {
    const sink = new RecordingSink()
    const sent = send(engine, backend, { path: step.path, timeouts, sink, ...BODIES[step.body]?.() })
    if (step.holds) {
      sink.holdAtBytes = 1
      void sink.held.then(() => setTimeout(() => sent.attempt.resume(), 5))
    }
    ABORTS[step.abort]?.(sent)
    // An aborted attempt is never told to be over, and neither is one whose client sends no more.
    await Promise.race([sink.over, new Promise((resolve) => setTimeout(resolve, 3 * SHORT_MS))])
    sent.attempt.abort()
  }
  return { run, raw, engine, use: () => engine.poolUse(backend) }
}
