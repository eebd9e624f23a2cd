import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createBackend } from '../../../src/upstream/backend.ts'
import { RequestBodyError } from '../../../src/upstream/failure.ts'
import { findClosedPort } from '../../helpers/raw-backend.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { arrange, fetchFrom, OK, type Subject, standstill } from './setting.ts'

const MIB = 1_048_576

export function describeRequestBodies(subject: Subject): void {
  describe('request bodies', () => {
    for (const { name, announced } of [
      { name: 'of known length', announced: true },
      { name: 'of unknown length', announced: false },
    ]) {
      test(`a body of 8 MiB ${name} arrives as it was, and comes back as it was`, async (t) => {
        const body = randomBytes(8 * MIB)
        const { fetch } = await arrange(t, subject, async (connection) => {
          const { headers } = await connection.readHead()
          const framed = headers.join().toLowerCase()
          assert.equal(framed.includes('content-length'), announced)
          const received = announced ? await connection.readBytes(body.length) : (await connection.readChunked()).body
          connection.write(`HTTP/1.1 200 OK\r\nX-Hash: ${hash(received)}\r\nContent-Length: ${received.length}\r\n\r\n`)
          connection.write(received)
        })
        const source = ScriptedBody.of(slice(body, 70_000), announced ? body.length : undefined)
        const sink = await fetch({ method: 'POST', body: source })
        assert.deepEqual(sink.received?.headers.slice(0, 2), ['X-Hash', hash(body)])
        assert.equal(hash(Buffer.concat(sink.chunks)), hash(body))
      })
    }

    test('a backend that does not read holds the source, and what it takes later is whole', async (t) => {
      const chunk = randomBytes(65_536)
      const count = 1_024
      const reading = Promise.withResolvers<void>()
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        await reading.promise
        const digest = createHash('sha256')
        for (let left = count; left > 0; left--) digest.update(await connection.readBytes(chunk.length))
        connection.write(`HTTP/1.1 200 OK\r\nX-Hash: ${digest.digest('hex')}\r\nContent-Length: 0\r\n\r\n`)
      })
      let pushed = 0
      const body = new ScriptedBody(chunk.length * count)
      const { sink } = send({ method: 'PUT', body })
      const pushing = (async () => {
        for (; pushed < count; pushed++) await body.push(chunk)
        body.end()
      })()
      await standstill(() => pushed)
      assert.equal(body.isPaused, true)
      assert.ok(pushed < count / 2, `${pushed} chunks went out unread`)
      reading.resolve()
      await pushing
      await sink.over
      const digest = createHash('sha256')
      for (let i = 0; i < count; i++) digest.update(chunk)
      assert.deepEqual(sink.received?.headers.slice(0, 2), ['X-Hash', digest.digest('hex')])
    })

    test('nothing is asked of the source before there is a connection', async (t) => {
      const { engine } = await arrange(t, subject, async () => {})
      const nobody = createBackend({ host: '127.0.0.1', port: await findClosedPort(), tls: undefined })
      const body = new ScriptedBody(3)
      const sink = await fetchFrom(engine, nobody, { method: 'POST', body })
      assert.equal(sink.failure?.reason, 'connect_failed')
      assert.equal(body.isStarted, false)
    })

    test('trailers of a request pass, or are dropped where the engine says so', async (t) => {
      const seen = Promise.withResolvers<readonly string[]>()
      const { engine, fetch } = await arrange(t, subject, async (connection) => {
        const { headers } = await connection.readHead()
        const { trailers } = await connection.readChunked()
        seen.resolve([...headers.filter((name) => name === 'Trailer'), ...trailers])
        connection.write(OK)
      })
      const body = ScriptedBody.of(['abc'], undefined, ['X-Sum', '1', 'x-sum', '2'])
      const sink = await fetch({ method: 'POST', body, headers: ['Host', 'x', 'Trailer', 'X-Sum'] })
      assert.equal(sink.text, 'ok')
      const expected = engine.supports.requestTrailers ? ['Trailer', 'X-Sum', '1', 'x-sum', '2'] : []
      assert.deepEqual(await seen.promise, expected)
    })

    test('trailers are left out where the length was announced', async (t) => {
      const { fetch } = await arrange(t, subject, async (connection) => {
        for (;;) {
          await connection.readHead()
          await connection.readBytes(3)
          connection.write(OK)
        }
      })
      for (const _ of [1, 2]) {
        const body = ScriptedBody.of(['abc'], 3, ['X-Sum', '1'])
        const sink = await fetch({ method: 'POST', body, headers: ['Host', 'x', 'Trailer', 'X-Sum'] })
        assert.equal(sink.text, 'ok')
      }
    })

    for (const { name, lengthBytes } of [
      { name: 'of known length', lengthBytes: 10 },
      { name: 'of unknown length', lengthBytes: undefined },
    ]) {
      test(`a body ${name} that fails is never ended as if it were whole`, async (t) => {
        const { send, raw } = await arrange(t, subject, async () => {})
        const body = new ScriptedBody(lengthBytes)
        const { sink } = send({ method: 'POST', body })
        const target = await body.started
        target.data(Buffer.from('abc'))
        const connection = await raw.connection(0)
        await connection.readHead()
        target.fail('body_too_large')
        await sink.over
        assert.ok(sink.failure?.cause instanceof RequestBodyError)
        assert.equal(sink.failure.cause.reason, 'body_too_large')
        assert.equal(sink.failure.requestSent, true)
        assert.doesNotMatch((await connection.readToEnd()).toString(), /0\r\n\r\n$/)
      })
    }

    test('a body that is shorter or longer than announced cuts the connection', async (t) => {
      const { fetch, raw } = await arrange(t, subject, async () => {})
      const short = await fetch({ method: 'POST', body: ScriptedBody.of(['abc'], 10) })
      const long = await fetch({ method: 'POST', body: ScriptedBody.of(['abc', 'GET / HTTP/1.1\r\n\r\n'], 4) })
      for (const { failure } of [short, long]) assert.match(failure?.cause.message ?? '', /^request body/)
      for (const index of [0, 1]) {
        const connection = await raw.connection(index)
        assert.doesNotMatch((await connection.readToEnd()).toString(), /GET \/ HTTP/)
      }
    })

    test('an answer before the upload is over is delivered, the rest is not read, the connection not kept', async (t) => {
      const { send, fetch, raw } = await arrange(t, subject, async (connection, index) => {
        await connection.readHead()
        connection.write(index === 0 ? 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig' : OK)
      })
      const body = new ScriptedBody(10_000)
      const { sink } = send({ method: 'POST', body })
      await body.push('abc')
      await sink.over
      assert.equal(sink.received?.status, 413)
      assert.equal(sink.text, 'big')
      assert.equal(body.isPaused, true)
      await (await raw.connection(0)).gone()
      assert.equal((await fetch()).text, 'ok')
      assert.equal(raw.connections.length, 2)
    })

    test('a body of known length is over with its last byte: no end is waited for', async (t) => {
      const { fetch, send, raw } = await arrange(t, subject, async (connection) => {
        for (;;) {
          const { line } = await connection.readHead()
          if (line.startsWith('POST')) await connection.readBytes(3)
          connection.write(OK)
        }
      })
      const body = new ScriptedBody(3)
      const { sink } = send({ method: 'POST', body })
      await body.push('abc')
      await sink.over
      body.end()
      assert.equal(body.pauses, 0)
      assert.equal((await fetch()).text, 'ok')
      assert.equal(raw.connections.length, 1)
    })

    test('both directions flow at once', async (t) => {
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
        connection.write(await connection.readBytes(3))
        connection.write(await connection.readBytes(3))
      })
      const body = new ScriptedBody(6)
      const { sink } = send({ method: 'POST', body })
      await body.push('abc')
      await sink.headReceived
      await body.push('def')
      body.end()
      await sink.over
      assert.equal(sink.text, 'abcdef')
    })

    test('a backend that answers and half-closes while the upload runs has answered', async (t) => {
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.socket.end('HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno')
      })
      const body = new ScriptedBody()
      const { sink } = send({ method: 'POST', body })
      await body.push('abc')
      await sink.over
      assert.equal(sink.failure, undefined)
      assert.equal(sink.text, 'no')
      assert.equal(body.isPaused, true)
    })
  })
}

function slice(whole: Buffer, size: number): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < whole.length; at += size) parts.push(whole.subarray(at, at + size))
  return parts
}

function hash(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
