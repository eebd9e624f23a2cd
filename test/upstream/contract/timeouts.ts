import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { createBackend } from '../../../src/upstream/backend.ts'
import { openBlackHole } from '../../helpers/black-hole.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { answering, arrange, fetchFrom, OK, type Subject } from './setting.ts'

/** A limit that is meant to be hit, and one that would be if it ran when it must not. */
const SHORT_MS = 120
const PAST_MS = 300

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'

export function describeTimeouts(subject: Subject): void {
  describe('time limits', () => {
    test('a connection that is not accepted: connect_timeout, and nothing was sent', async (t) => {
      const { engine } = await arrange(t, subject, async () => {})
      const backend = createBackend({ host: '127.0.0.1', port: await openBlackHole(t), tls: undefined })
      const body = new ScriptedBody(3)
      const sink = await fetchFrom(engine, backend, { method: 'POST', body, timeouts: { connectMs: SHORT_MS } })
      assert.deepEqual([sink.failure?.reason, sink.failure?.requestSent], ['connect_timeout', false])
      assert.deepEqual(sink.calls, ['fail'])
      assert.equal(body.isStarted, false)
    })

    test('TLS that is never answered: connect_timeout, and nothing was sent', async (t) => {
      const { engine, raw } = await arrange(t, subject, async () => {})
      const tls = { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined }
      const backend = createBackend({ host: '127.0.0.1', port: raw.port, tls })
      const { failure } = await fetchFrom(engine, backend, { timeouts: { connectMs: SHORT_MS } })
      assert.deepEqual([failure?.reason, failure?.requestSent], ['connect_timeout', false])
      await (await raw.connection(0)).gone()
    })

    for (const { name, create } of [
      { name: 'without a body', create: () => undefined },
      { name: 'after its last byte', create: () => ScriptedBody.of(['abc'], 3) },
      { name: 'after its last chunk', create: () => ScriptedBody.of(['abc']) },
    ]) {
      test(`a request ${name} that is not answered: response_timeout`, async (t) => {
        const { fetch, raw } = await arrange(t, subject, async () => {})
        const timeouts = { responseMs: SHORT_MS, connectMs: 0, idleMs: 0 }
        const { failure } = await fetch({ method: 'PUT', body: create(), timeouts })
        assert.deepEqual([failure?.reason, failure?.requestSent], ['response_timeout', true])
        await raw.connections[0]?.gone()
      })
    }

    test('interim responses do not put the response limit off', async (t) => {
      const { fetch } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        for (;;) {
          await connection.flush('HTTP/1.1 103 Early Hints\r\n\r\n')
          await pass(SHORT_MS / 4)
          if (connection.socket.destroyed) return
        }
      })
      const { failure } = await fetch({ timeouts: { responseMs: SHORT_MS } })
      assert.equal(failure?.reason, 'response_timeout')
    })

    test('no limit runs against the backend while the client still sends', async (t) => {
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        await connection.readBytes(6)
        connection.write(OK)
      })
      const body = new ScriptedBody(6)
      const timeouts = { connectMs: SHORT_MS, responseMs: SHORT_MS, idleMs: SHORT_MS }
      const { sink } = send({ method: 'POST', body, timeouts })
      await body.push('abc')
      await pass(PAST_MS)
      await body.push('def')
      body.end()
      await sink.over
      assert.equal(sink.text, 'ok')
    })

    test('a backend that thinks about its answer is not silent: only the response limit runs', async (t) => {
      const { fetch } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        await connection.readBytes(3)
        await pass(PAST_MS)
        connection.write(OK)
      })
      const timeouts = { idleMs: SHORT_MS }
      const sink = await fetch({ method: 'POST', body: ScriptedBody.of(['abc'], 3), timeouts })
      assert.equal(sink.failure, undefined)
    })

    test('a backend that does not take the body: idle_timeout', async (t) => {
      const { send, raw } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.socket.pause()
      })
      const body = ScriptedBody.of(Array.from({ length: 1_024 }, () => Buffer.alloc(65_536)))
      const { sink } = send({ method: 'POST', body, timeouts: { idleMs: SHORT_MS, responseMs: SHORT_MS } })
      await sink.over
      assert.deepEqual([sink.failure?.reason, sink.failure?.requestSent], ['idle_timeout', true])
      await (await raw.connection(0)).gone()
    })

    test('a backend that stops within its response: idle_timeout', async (t) => {
      const { fetch, raw } = await arrange(t, subject, answering(HALF))
      const sink = await fetch({ timeouts: { idleMs: SHORT_MS } })
      assert.equal(sink.failure?.reason, 'idle_timeout')
      assert.equal(sink.text, 'abc')
      await (await raw.connection(0)).gone()
    })

    test('a backend that stops after it answered an upload: idle_timeout', async (t) => {
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        await connection.readBytes(6)
        connection.write(HALF)
      })
      const body = new ScriptedBody(6)
      const { sink } = send({ method: 'POST', body, timeouts: { idleMs: SHORT_MS } })
      await body.push('abcdef')
      body.end()
      await sink.over
      assert.equal(sink.failure?.reason, 'idle_timeout')
    })

    test('a response that is slow but never silent goes on', async (t) => {
      const { fetch } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
        for (let i = 0; i < 10; i++) {
          await pass(SHORT_MS)
          connection.write(String(i))
        }
      })
      // All of it takes twice as long; a busy machine may be late with a part of it.
      const limitMs = 5 * SHORT_MS
      const sink = await fetch({ timeouts: { idleMs: limitMs, responseMs: limitMs } })
      assert.equal(sink.failure, undefined)
      assert.equal(sink.text, '0123456789')
    })

    test('a sink that holds is no silence of the backend, and after it the limit runs again', async (t) => {
      for (const rest of ['def', undefined]) {
        const resumed = Promise.withResolvers<void>()
        const { send } = await arrange(t, subject, async (connection) => {
          await connection.readHead()
          connection.write(HALF)
          await resumed.promise
          if (rest !== undefined) connection.write(rest)
        })
        const sink = new RecordingSink()
        sink.holdAtBytes = 0
        const { attempt } = send({ sink, timeouts: { idleMs: SHORT_MS } })
        await sink.held
        await pass(PAST_MS)
        assert.equal(sink.isOver, false)
        sink.holdAtBytes = Number.POSITIVE_INFINITY
        attempt.resume()
        resumed.resolve()
        await sink.over
        if (rest !== undefined) assert.equal(sink.text, 'abcdef')
        else assert.equal(sink.failure?.reason, 'idle_timeout')
      }
    })

    test('limits of one request are not those of the next on the same connection', async (t) => {
      const { fetch, raw } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(OK)
        await connection.readHead()
        connection.write(HALF)
        await pass(PAST_MS)
        connection.write('def')
      })
      const timeouts = { connectMs: SHORT_MS, responseMs: SHORT_MS, idleMs: SHORT_MS }
      assert.equal((await fetch({ timeouts })).text, 'ok')
      const sink = await fetch({ timeouts: { connectMs: 0, responseMs: 0, idleMs: 0 } })
      assert.equal(sink.text, 'abcdef')
      assert.equal(raw.connections.length, 1)
    })
  })
}
