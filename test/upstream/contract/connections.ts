import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createBackend } from '../../../src/upstream/backend.ts'
import { findClosedPort } from '../../helpers/raw-backend.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { answering, arrange, fetchFrom, OK, type Sent, type Setting, type Subject } from './setting.ts'

export function describeConnections(subject: Subject): void {
  describe('connections', () => {
    test('a connection is kept: the next request costs no connect time', async (t) => {
      const { fetch, raw } = await arrange(t, subject, answering(OK))
      const first = await fetch()
      const second = await fetch()
      assert.equal(raw.connections.length, 1)
      assert.ok((first.connects[0] ?? 0) > 0)
      assert.deepEqual(second.connects, [0])
    })

    test('requests at the same time have a connection each, and none waits', async (t) => {
      const all = Promise.withResolvers<void>()
      const { fetch } = await arrange(t, subject, async (connection, index) => {
        await connection.readHead()
        if (index === 49) all.resolve()
        await all.promise
        connection.write(OK)
      })
      const sinks = await Promise.all(Array.from({ length: 50 }, () => fetch()))
      assert.ok(sinks.every(({ text }) => text === 'ok'))
    })

    for (const { name, response } of [
      { name: 'says close', response: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok' },
      { name: 'speaks HTTP/1.0', response: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' },
      {
        name: 'is about to close it',
        response: 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
      },
    ]) {
      test(`a backend that ${name} gets a new connection for the next request`, async (t) => {
        const { fetch, raw } = await arrange(t, subject, answering(response))
        for (const _ of [1, 2]) assert.equal((await fetch()).text, 'ok')
        assert.equal(raw.connections.length, 2)
        await raw.connections[0]?.gone()
      })
    }

    test('an idle connection is closed before the backend closes it', async (t) => {
      const announced = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 2\r\n\r\nok'
      const { fetch, raw } = await arrange(t, subject, answering(announced))
      await fetch()
      const startedMs = performance.now()
      await fetch()
      assert.equal(raw.connections.length, 1)
      await raw.connections[0]?.gone()
      const keptMs = performance.now() - startedMs
      assert.ok(keptMs > 500 && keptMs < 2_000, `kept for ${keptMs} ms`)
    })

    test('nobody listens: connect_failed, and nothing was sent', async (t) => {
      const { engine } = await arrange(t, subject, answering(OK))
      const backend = createBackend({ host: '127.0.0.1', port: await findClosedPort(), tls: undefined })
      for (const host of ['127.0.0.1', 'localhost']) {
        const { failure, calls } = await fetchFrom(engine, createBackend({ ...backend.config, host }))
        assert.deepEqual([failure?.reason, failure?.requestSent, calls], ['connect_failed', false, ['fail']])
        assert.match(failure?.cause.message ?? '', /ECONNREFUSED/)
      }
    })

    test('a backend that is one address of its name is connected to there, and nowhere else', async (t) => {
      const { engine, raw } = await arrange(t, subject, answering(OK))
      const config = { host: 'does-not-exist.invalid', port: raw.port, tls: undefined, address: '127.0.0.1' }
      const sink = await fetchFrom(engine, createBackend(config))
      assert.deepEqual([sink.failure, sink.text], [undefined, 'ok'])
      const { failure } = await fetchFrom(engine, createBackend({ ...config, address: '127.0.0.2' }))
      assert.equal(failure?.reason, 'connect_failed')
    })

    test('a name that does not resolve: connect_failed, and nothing was sent', async (t) => {
      const { engine } = await arrange(t, subject, answering(OK))
      const { failure } = await fetchFrom(
        engine,
        createBackend({ host: 'does-not-exist.invalid', port: 80, tls: undefined }),
      )
      assert.deepEqual([failure?.reason, failure?.requestSent], ['connect_failed', false])
    })

    for (const cut of ['end', 'destroy', 'resetAndDestroy'] as const) {
      test(`a kept connection that turns out dead (${cut}) is replaced for an idempotent request`, async (t) => {
        const { fetch, raw } = await arrange(t, subject, dyingAfterFirst(cut))
        await fetch()
        for (const method of ['GET', 'DELETE']) {
          const sink = await fetch({ method })
          assert.equal(sink.failure, undefined)
          assert.deepEqual([sink.text, sink.connects.length], ['ok', 1])
        }
        assert.equal(raw.connections.length, 3)
      })
    }

    test('where one kept connection is dead, the other old ones are not tried', async (t) => {
      const all = Promise.withResolvers<void>()
      const { fetch, raw } = await arrange(t, subject, async (connection, index) => {
        await connection.readHead()
        if (index === 2) all.resolve()
        await all.promise
        connection.write(OK)
        if (index > 2) return
        await connection.readHead()
        connection.socket.resetAndDestroy()
      })
      await Promise.all([fetch(), fetch(), fetch()])
      const sink = await fetch()
      assert.equal(sink.text, 'ok')
      assert.equal(raw.connections.length, 4)
    })

    test('a body that was begun is not sent again, idempotent or not', async (t) => {
      const { fetch, raw } = await arrange(t, subject, dyingAfterFirst('resetAndDestroy'))
      await fetch()
      const { failure } = await fetch({ method: 'PUT', body: ScriptedBody.of(['abc'], 3) })
      assert.deepEqual([failure?.reason, failure?.requestSent], ['backend_reset', true])
      assert.equal(raw.connections.length, 1)
    })

    test('POST is sent once, also where the kept connection turns out dead', async (t) => {
      let seen = 0
      const { fetch } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(OK)
        await connection.readHead()
        seen++
        connection.socket.resetAndDestroy()
      })
      for (const body of [undefined, ScriptedBody.of(['abc'], 3)]) {
        await fetch()
        const { failure } = await fetch({ method: 'POST', body })
        assert.deepEqual([failure?.reason, failure?.requestSent], ['backend_reset', true])
      }
      assert.equal(seen, 2)
    })

    test('a request is repeated once, and never on the reset of a new connection', async (t) => {
      let heads = 0
      const { fetch } = await arrange(t, subject, async (connection, index) => {
        await connection.readHead()
        heads++
        if (index > 0) return void connection.socket.resetAndDestroy()
        connection.write(OK)
        await connection.readHead()
        heads++
        connection.socket.resetAndDestroy()
      })
      await fetch()
      assert.equal((await fetch()).failure?.reason, 'backend_reset')
      assert.equal(heads, 3)
      assert.equal((await fetch()).failure?.reason, 'backend_reset')
      assert.equal(heads, 4)
    })

    test('a request is not repeated once a byte of response came', async (t) => {
      let heads = 0
      const { fetch } = await arrange(t, subject, async (connection) => {
        for (const answer of [OK, 'HTTP/1.1 200 ']) {
          await connection.readHead()
          heads++
          await connection.flush(answer)
        }
        connection.socket.end()
      })
      await fetch()
      assert.equal((await fetch()).failure?.reason, 'backend_reset')
      assert.equal(heads, 2)
    })

    for (const { name, prepare } of ABORTS) {
      test(`abort ${name} closes the connection, and the sink hears nothing more`, async (t) => {
        const setting = await arrange(t, subject, async (connection, index) => {
          const { line } = await connection.readHead()
          if (index > 0 || line.includes('/own')) return connection.write(OK)
          if (line.startsWith('GET')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
        })
        const { attempt, sink } = await prepare(setting)
        const before = [...sink.calls]
        attempt.abort()
        attempt.abort()
        attempt.resume()
        const [connection] = setting.raw.connections
        await connection?.gone()
        assert.deepEqual(sink.calls, before)
        assert.equal((await setting.fetch({ path: '/own' })).text, 'ok')
        assert.deepEqual(sink.calls, before)
      })
    }

    test('abort within a call of the sink is obeyed at once', async (t) => {
      for (const call of ['connected', 'head', 'data'] as const) {
        const { send, raw } = await arrange(t, subject, async (connection) => {
          await connection.readHead()
          connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
        })
        const sink = new RecordingSink()
        const aborted = Promise.withResolvers<void>()
        const original = sink[call].bind(sink) as (argument: never) => never
        sink[call] = (argument: never) => {
          const result = original(argument)
          sent.attempt.abort()
          aborted.resolve()
          return result
        }
        const sent: Sent = send({ sink })
        await aborted.promise
        await (await raw.connection(0)).gone()
        assert.equal(sink.calls.at(-1), call)
      }
    })

    test('abort after the end changes nothing: the connection is kept', async (t) => {
      const { send, fetch, raw } = await arrange(t, subject, answering(OK))
      const { attempt, sink } = send()
      await sink.over
      attempt.abort()
      assert.equal((await fetch()).text, 'ok')
      assert.equal(raw.connections.length, 1)
    })

    for (const { name, drop } of [
      { name: 'forget', drop: ({ engine, backend }: Setting) => engine.forget(backend) },
      { name: 'close', drop: ({ engine }: Setting) => engine.close() },
    ]) {
      test(`${name} closes idle connections now and the others after their response`, async (t) => {
        const release = Promise.withResolvers<void>()
        const setting = await arrange(t, subject, async (connection) => {
          await connection.readHead()
          connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
          await release.promise
          connection.write('k')
          await connection.readHead()
          connection.write(OK)
        })
        const { send, raw } = setting
        const [busy, idle] = [send(), send()]
        await Promise.all([busy.sink.headReceived, idle.sink.headReceived])
        release.resolve()
        await Promise.all([busy.sink.over, idle.sink.over])
        const held = send()
        await held.sink.opened
        drop(setting)
        await held.sink.over
        assert.equal(held.sink.text, 'ok')
        await Promise.all(raw.connections.map((connection) => connection.gone()))
        assert.equal(raw.connections.length, 2)
      })
    }

    test('a thousand requests over one kept connection leave nothing on it', async (t) => {
      const sockets: Socket[] = []
      const note = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
      diagnostics.subscribe('net.client.socket', note)
      t.after(() => diagnostics.unsubscribe('net.client.socket', note))
      const warnings: Error[] = []
      const warn = (warning: Error) => warnings.push(warning)
      process.on('warning', warn)
      t.after(() => process.off('warning', warn))

      const { fetch } = await arrange(t, subject, async (connection) => {
        for (;;) {
          const { line } = await connection.readHead()
          if (line.startsWith('POST')) await connection.readBytes(3)
          connection.write(OK)
        }
      })
      const once = () => fetch({ method: 'POST', body: ScriptedBody.of(['abc'], 3) })
      const counts: number[] = []
      for (let i = 0; i < 1_000; i++) {
        await (i % 2 === 0 ? fetch() : once())
        await new Promise(setImmediate)
        const [socket] = sockets
        if (i === 10 || i === 999) counts.push(socket === undefined ? -1 : countListeners(socket))
      }
      assert.equal(sockets.length, 1)
      assert.equal(counts[0], counts[1])
      assert.ok((counts[0] ?? 0) > 0)
      assert.deepEqual(warnings, [])
    })
  })
}

const ABORTS: readonly { name: string; prepare: (setting: Setting) => Promise<Sent> }[] = [
  { name: 'at once', prepare: async ({ send }) => send() },
  {
    name: 'in the next turn',
    prepare: async ({ send }) => {
      const sent = send()
      await new Promise(process.nextTick)
      return sent
    },
  },
  {
    name: 'while the body goes up',
    prepare: async ({ send }) => {
      const body = new ScriptedBody(10)
      const sent = send({ method: 'POST', body })
      await body.push('abc')
      return sent
    },
  },
  {
    name: 'before the head',
    prepare: async ({ send, raw }) => {
      const sent = send({ method: 'PUT' })
      await sent.sink.opened
      await raw.connection(0)
      return sent
    },
  },
  {
    name: 'in the middle of the response',
    prepare: async ({ send }) => {
      const sent = send()
      await sent.sink.headReceived
      return sent
    },
  },
  {
    name: 'while the sink holds',
    prepare: async ({ send }) => {
      const sink = new RecordingSink()
      sink.holdAtBytes = 0
      const sent = send({ sink })
      await sink.held
      return sent
    },
  },
]

/** Answers once; the second request on a connection is read and the connection cut, as when both crossed. */
function dyingAfterFirst(cut: 'end' | 'destroy' | 'resetAndDestroy') {
  return async (connection: Awaited<ReturnType<Setting['raw']['connection']>>) => {
    await connection.readHead()
    connection.write(OK)
    await connection.readHead()
    connection.socket[cut]()
  }
}

function countListeners(socket: Socket): number {
  return socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0)
}
