import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { arrange, OK, type Setting, type Subject } from './setting.ts'

const HEAD = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`

/** None of them may be taken for a whole response. */
const MALFORMED: readonly { name: string; bytes: string; keepsOpen?: boolean }[] = [
  { name: 'two lengths that differ', bytes: `${HEAD}Content-Length: 2\r\nContent-Length: 5\r\n\r\nokEVIL` },
  { name: 'a list of lengths', bytes: `${HEAD}Content-Length: 2, 5\r\n\r\nokEVIL` },
  { name: 'a negative length', bytes: `${HEAD}Content-Length: -2\r\n\r\nok` },
  { name: 'a length with a plus', bytes: `${HEAD}Content-Length: +2\r\n\r\nok` },
  { name: 'a length in hex', bytes: `${HEAD}Content-Length: 0x2\r\n\r\nok` },
  { name: 'a length beyond 64 bits', bytes: `${HEAD}Content-Length: 99999999999999999999\r\n\r\nok` },
  { name: 'an empty length', bytes: `${HEAD}Content-Length:\r\n\r\nok` },
  {
    name: 'a length and chunked',
    bytes: `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  },
  {
    name: 'chunked and a length',
    bytes: `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  },
  { name: 'a chunk size that is no number', bytes: `${CHUNKED}zz\r\nok\r\n0\r\n\r\n` },
  { name: 'a negative chunk size', bytes: `${CHUNKED}-2\r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk longer than its size', bytes: `${CHUNKED}2\r\nokEVIL\r\n0\r\n\r\n` },
  { name: 'a chunk size beyond 64 bits', bytes: `${CHUNKED}FFFFFFFFFFFFFFFFFF\r\nok\r\n0\r\n\r\n` },
  { name: 'chunks that end in LF', bytes: `${CHUNKED}2\nok\n0\n\n` },
  { name: 'another transfer coding', bytes: `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n` },
  { name: 'an unknown transfer coding', bytes: `${HEAD}Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n` },
  { name: 'chunked twice', bytes: `${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n` },
  {
    name: 'chunked in two fields',
    bytes: `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  },
  { name: 'chunked in HTTP/1.0', bytes: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n' },
  { name: 'status 099', bytes: 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'status 000', bytes: 'HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'status 600', bytes: 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'status 999', bytes: 'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'status 20', bytes: 'HTTP/1.1 20 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'status 2000', bytes: 'HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'a status that is no number', bytes: 'HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'another protocol', bytes: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
  { name: 'another version', bytes: 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok' },
  { name: 'bytes without any line', bytes: '\0\x01\x02\x03\x04\x05\x06\x07' },
  { name: 'NUL in a value', bytes: `${HEAD}X-A: a\0b\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a bare CR in a value', bytes: `${HEAD}X-A: a\rb\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a space before the colon', bytes: `${HEAD}Content-Length : 2\r\n\r\nok` },
  { name: 'a field without a colon', bytes: `${HEAD}X-A\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a field without a name', bytes: `${HEAD}: a\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a field over 64 KB', bytes: `${HEAD}X-A: ${'x'.repeat(70_000)}\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a head over 64 KB', bytes: `${HEAD}${'X-A: b\r\n'.repeat(20_000)}Content-Length: 2\r\n\r\nok` },
  { name: 'a head without end', bytes: `${HEAD}${'X-A: b\r\n'.repeat(200_000)}`, keepsOpen: true },
  { name: 'trailers over 64 KB', bytes: `${CHUNKED}2\r\nok\r\n0\r\n${'X-A: b\r\n'.repeat(20_000)}\r\n` },
  {
    name: 'an unasked 101',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nEVIL',
    keepsOpen: true,
  },
  { name: 'an unasked 101 without Upgrade', bytes: 'HTTP/1.1 101 Switching Protocols\r\n\r\nEVIL', keepsOpen: true },
]

/** A whole response with bytes after it that belong to no request. */
const FOLLOWED: readonly { name: string; method?: string; bytes: string }[] = [
  { name: 'a second response', bytes: `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL` },
  { name: 'more than the length', bytes: `${OK}EVIL` },
  { name: 'a body after HEAD', method: 'HEAD', bytes: `${HEAD}Content-Length: 4\r\n\r\nEVIL` },
  {
    name: 'a response after HEAD',
    method: 'HEAD',
    bytes: `${HEAD}Content-Length: 50\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL`,
  },
  { name: 'a body after 204', bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL' },
  { name: 'a body after 304', bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nEVIL' },
  { name: 'an unasked 101 after it', bytes: `${OK}HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nEVIL` },
]

export function describeMalformedResponses(subject: Subject): void {
  describe('malformed responses', () => {
    for (const { name, bytes, keepsOpen } of MALFORMED) {
      test(`${name}: a failure, and the next request gets its own answer`, async (t) => {
        const { fetch } = await arrangeFault(t, subject, bytes, keepsOpen !== true)
        const sink = await fetch({ path: '/bad' })
        assert.match(sink.failure?.reason ?? 'none', /^(bad_response|backend_reset)$/)
        assert.equal(sink.failure?.requestSent, true)
        assert.doesNotMatch(sink.text, /EVIL/)
        await expectOwnAnswers(fetch)
      })
    }

    for (const { name, method, bytes } of FOLLOWED) {
      test(`${name}: the response stands, and what follows is delivered to nobody`, async (t) => {
        const { fetch } = await arrangeFault(t, subject, bytes, false)
        const sink = await fetch({ path: '/bad', method: method ?? 'GET' })
        assert.equal(sink.failure?.cause.message, undefined)
        assert.doesNotMatch(sink.text, /EVIL/)
        await expectOwnAnswers(fetch)
      })
    }

    test('bytes on a kept connection that nobody asked for are not the next response', async (t) => {
      const { fetch, raw } = await arrange(t, subject, async (connection) => {
        for (;;) {
          const { line } = await connection.readHead()
          await connection.flush(OK)
          if (line.includes('/first')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL')
        }
      })
      await fetch({ path: '/first' })
      await (await raw.connection(0)).gone()
      await expectOwnAnswers(fetch)
    })
  })
}

/** Answers `/bad` with these bytes and everything else with its own path. */
function arrangeFault(t: TestContext, subject: Subject, bytes: string, ends: boolean): Promise<Setting> {
  return arrange(t, subject, async (connection) => {
    for (;;) {
      const path = (await connection.readHead()).line.split(' ')[1] ?? ''
      if (path !== '/bad') {
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
      } else if (ends) connection.socket.end(Buffer.from(bytes, 'latin1'))
      else connection.write(bytes)
    }
  })
}

async function expectOwnAnswers(fetch: Setting['fetch']): Promise<void> {
  for (const path of ['/own', '/another']) {
    const sink = await fetch({ path })
    assert.equal(sink.failure?.cause.message, undefined)
    assert.notEqual(sink.text, 'EVIL')
    assert.match(sink.text, /^(ok|\/own|\/another)$/)
  }
}
