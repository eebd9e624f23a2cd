import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { answering, arrange, OK, type Subject, standstill } from './setting.ts'

const TRUNCATED: readonly { name: string; bytes: string }[] = [
  { name: 'a body shorter than its length', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc' },
  {
    name: 'a chunked body without its last chunk',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  },
  { name: 'a chunk that breaks off', bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc' },
  { name: 'trailers that break off', bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b' },
]

export function describeResponses(subject: Subject): void {
  describe('responses', () => {
    test('every field arrives, in order, with its case and duplicates', async (t) => {
      const fields =
        'Set-Cookie: a=1\r\nX-Mixed: 1\r\nset-cookie: b=2; Path=/\r\nx-MIXED: 2\r\nX-Empty:\r\nSet-Cookie: a=1'
      const { fetch } = await arrange(
        t,
        subject,
        answering(`HTTP/1.1 207 So lala, caf\xe9\r\n${fields}\r\nContent-Length: 0\r\n\r\n`),
      )
      const { received } = await fetch()
      assert.deepEqual(received, {
        status: 207,
        statusText: 'So lala, caf\xe9',
        headers: [
          ...['Set-Cookie', 'a=1', 'X-Mixed', '1', 'set-cookie', 'b=2; Path=/', 'x-MIXED', '2', 'X-Empty', ''],
          ...['Set-Cookie', 'a=1', 'Content-Length', '0'],
        ],
      })
    })

    test('a head of thousands of fields arrives whole', async (t) => {
      const fields = Array.from({ length: 3_000 }, (_, i) => `h${i}: ${i}\r\n`).join('')
      const { fetch } = await arrange(t, subject, answering(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`))
      assert.equal((await fetch()).received?.headers.length, 6_002)
    })

    for (const { name, method, response } of [
      { name: 'HEAD with a length', method: 'HEAD', response: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n' },
      {
        name: 'HEAD that says chunked',
        method: 'HEAD',
        response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      },
      { name: '204', method: 'GET', response: 'HTTP/1.1 204 No Content\r\n\r\n' },
      { name: '304 with a length', method: 'GET', response: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n' },
      { name: 'length 0', method: 'GET', response: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
    ]) {
      test(`${name} has no body, and its connection goes on`, async (t) => {
        const { fetch, raw } = await arrange(t, subject, answering(response))
        for (const _ of [1, 2]) assert.deepEqual((await fetch({ method })).calls, ['connected', 'head', 'end'])
        assert.equal(raw.connections.length, 1)
      })
    }

    test('HEAD without a length has no body either', async (t) => {
      const { fetch } = await arrange(t, subject, answering('HTTP/1.1 200 OK\r\n\r\n'))
      for (const _ of [1, 2]) assert.deepEqual((await fetch({ method: 'HEAD' })).calls, ['connected', 'head', 'end'])
    })

    test('a response that offers another protocol is a response', async (t) => {
      const offer =
        'HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\nContent-Length: 2\r\n\r\nok'
      const { fetch } = await arrange(t, subject, answering(offer))
      for (const _ of [1, 2]) assert.equal((await fetch()).text, 'ok')
    })

    test('a chunked body arrives without its framing, and its trailers after it', async (t) => {
      const { fetch } = await arrange(
        t,
        subject,
        answering(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext="a"\r\nabc\r\n4\r\n\r\n\r\n\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n',
        ),
      )
      const sink = await fetch()
      assert.equal(sink.text, 'abc\r\n\r\n')
      assert.deepEqual(sink.trailers, ['X-Sum', '1', 'x-sum', '2'])
    })

    for (const version of ['1.1', '1.0']) {
      test(`a body of HTTP/${version} without length ends with its connection`, async (t) => {
        const { fetch } = await arrange(t, subject, async (connection) => {
          await connection.readHead()
          await connection.flush(`HTTP/${version} 200 OK\r\n\r\nabc`)
          connection.socket.end('def')
        })
        for (const _ of [1, 2]) assert.equal((await fetch()).text, 'abcdef')
      })
    }

    test('interim responses pass, or are dropped where the engine says so; 100 never passes', async (t) => {
      const { engine, fetch } = await arrange(
        t,
        subject,
        answering(
          `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nlink: b\r\n\r\nHTTP/1.1 102 P\r\n\r\n${OK}`,
        ),
      )
      for (const _ of [1, 2]) {
        const sink = await fetch()
        assert.equal(sink.text, 'ok')
        const expected = [
          { status: 103, headers: ['Link', 'a', 'link', 'b'] },
          { status: 102, headers: [] },
        ]
        assert.deepEqual(sink.informs, engine.supports.informational ? expected : [])
      }
    })

    test('a sink that is full holds the backend, and gets all of it once it resumes', async (t) => {
      const chunk = randomBytes(65_536)
      const count = 1_024
      let written = 0
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length * count}\r\n\r\n`)
        for (; written < count; written++) await connection.flush(chunk)
      })
      const sink = new RecordingSink()
      const digest = createHash('sha256')
      sink.onChunk = (part) => digest.update(part)
      sink.holdAtBytes = 1
      const { attempt } = send({ sink })
      await sink.held
      await standstill(() => written)
      assert.ok(written < count / 2, `${written} chunks went out unread`)
      assert.ok(sink.receivedBytes <= 131_072, `${sink.receivedBytes} bytes came after the first`)
      sink.holdAtBytes = Number.POSITIVE_INFINITY
      attempt.resume()
      await sink.over
      const expected = createHash('sha256')
      for (let i = 0; i < count; i++) expected.update(chunk)
      assert.equal(digest.digest('hex'), expected.digest('hex'))
    })

    test('a sink that takes one chunk at a time gets every byte, and then the end', async (t) => {
      const body = randomBytes(1_000_000)
      const { send } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
        connection.write(body)
      })
      const sink = new RecordingSink()
      sink.holdAtBytes = 0
      const { attempt } = send({ sink })
      sink.onChunk = (chunk) => {
        sink.chunks.push(chunk)
        setImmediate(() => attempt.resume())
      }
      await sink.over
      assert.ok(Buffer.concat(sink.chunks).equals(body))
    })

    for (const { name, bytes } of TRUNCATED) {
      for (const { how, cut } of [
        { how: 'FIN', cut: 'end' },
        { how: 'RST', cut: 'resetAndDestroy' },
      ] as const) {
        test(`${name}, cut by ${how}, is a failure and no end`, async (t) => {
          const seen = Promise.withResolvers<void>()
          const { send } = await arrange(t, subject, async (connection) => {
            await connection.readHead()
            connection.write(bytes)
            await seen.promise
            connection.socket[cut]()
          })
          const { sink } = send()
          await sink.headReceived
          seen.resolve()
          await sink.over
          assert.equal(sink.failure?.reason, 'backend_reset')
          assert.equal(sink.failure.requestSent, true)
          assert.equal(sink.trailers, undefined)
        })
      }
    }

    test('a body without length that is cut by RST is a failure and no end', async (t) => {
      const { send, raw } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write('HTTP/1.1 200 OK\r\n\r\nabc')
      })
      const { sink } = send()
      await sink.headReceived
      ;(await raw.connection(0)).socket.resetAndDestroy()
      await sink.over
      assert.equal(sink.failure?.reason, 'backend_reset')
    })

    for (const { name, part } of [
      { name: 'before a byte of response', part: '' },
      { name: 'within the head', part: 'HTTP/1.1 200 OK\r\nX-A: b' },
      { name: 'after an interim response', part: 'HTTP/1.1 103 Early Hints\r\n\r\n' },
    ]) {
      for (const cut of ['end', 'resetAndDestroy'] as const) {
        test(`a connection that ends ${name} (${cut === 'end' ? 'FIN' : 'RST'}) is a reset`, async (t) => {
          const { fetch } = await arrange(t, subject, async (connection) => {
            await connection.readHead()
            await connection.flush(part)
            connection.socket[cut]()
          })
          const sink = await fetch()
          assert.equal(sink.failure?.reason, 'backend_reset')
          assert.equal(sink.failure.requestSent, true)
          assert.equal(sink.received, undefined)
        })
      }
    }
  })
}
