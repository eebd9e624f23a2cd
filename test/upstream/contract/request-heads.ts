import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HeaderList } from '../../../src/header-list.ts'
import { withoutHeader } from '../../../src/header-list.ts'
import type { RawConnection } from '../../helpers/raw-backend.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { arrange, OK, type Subject } from './setting.ts'

const PATHS = [
  '/',
  '*',
  '/a?',
  '/a?b?c',
  '/a?b=1&b=2&b=%20&c',
  '//x',
  '///x//y/',
  '/a/../b',
  '/%2e%2e/x',
  '/a%2Fb%5Cc%00',
  '/a\\b',
  '/{a}/[b]/|c|^`',
  '/?x=`{}[]|\\^"<>',
  '/http://other.test:99999/',
  '/[',
  '/caf\xc3\xa9',
  `/${'x'.repeat(8_000)}`,
]

const FIELDS: HeaderList = [
  ...['hOsT', 'backend.test:81'],
  ...['X-Twice', 'one'],
  ...['Cookie', 'a=1'],
  ...['x-twice', 'two'],
  ...['X-TWICE', 'one'],
  ...['cookie', 'b=2'],
  ...['X-Empty', ''],
  ...['X-Latin', 'caf\xe9'],
  ...['X-Forwarded-For', '1.2.3.4'],
  ...['__proto__', 'x'],
  ...['authorization', 'Basic YTpi'],
]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'X-OWN']

const BODIES: readonly { name: string; create: () => ScriptedBody | undefined }[] = [
  { name: 'without a body', create: () => undefined },
  { name: 'with a body of known length', create: () => ScriptedBody.of([SMUGGLED], SMUGGLED.length) },
  { name: 'with a chunked body', create: () => ScriptedBody.of([SMUGGLED]) },
]

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

export function describeRequestHeads(subject: Subject): void {
  describe('request heads', () => {
    for (const path of PATHS) {
      test(`the path ${path.length > 40 ? 'of 8 KB' : path} is sent byte for byte`, async (t) => {
        const { fetch, raw } = await arrange(t, subject, noteLines)
        const sink = await fetch({ method: path === '*' ? 'OPTIONS' : 'GET', path })
        assert.equal(sink.failure, undefined)
        assert.deepEqual(linesOf(raw.connections), [`${path === '*' ? 'OPTIONS' : 'GET'} ${path} HTTP/1.1`])
      })
    }

    test('every field is sent, with its duplicates, and nothing is added but what the connection needs', async (t) => {
      const { engine, fetch, raw } = await arrange(t, subject, noteLines)
      await fetch({ headers: FIELDS })
      const sent = withoutHeader(headsOf(raw.connections)[0]?.headers ?? [], 'connection')
      if (engine.supports.headerCase) assert.deepEqual(sent, FIELDS)
      else assert.deepEqual(countFields(sent), countFields(FIELDS))
    })

    for (const method of METHODS) {
      for (const { name, create } of BODIES) {
        test(`${method} ${name} is framed, and what follows on the connection is the next request`, async (t) => {
          const { fetch, raw } = await arrange(t, subject, noteLines)
          await fetch({ method, path: '/first', body: create() })
          const second = await fetch({ path: '/second' })
          assert.equal(second.failure, undefined)
          assert.deepEqual(linesOf(raw.connections), [`${method} /first HTTP/1.1`, 'GET /second HTTP/1.1'])
          assert.equal(raw.connections.length, 1)
          const expected = create() === undefined ? '' : SMUGGLED
          assert.equal(headsOf(raw.connections)[0]?.body, expected)
        })
      }
    }

    test('no body is said to be none where a method expects one', async (t) => {
      const { fetch, raw } = await arrange(t, subject, noteLines)
      for (const method of METHODS) await fetch({ method })
      const framing = headsOf(raw.connections).map(({ line, headers }) => [line.split(' ')[0], framingOf(headers)])
      const silent = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])
      assert.deepEqual(
        framing,
        METHODS.map((method) => [method, silent.has(method) ? [] : ['content-length: 0']]),
      )
    })

    test('framing fields in the list are not sent twice, nor believed', async (t) => {
      const { fetch, raw } = await arrange(t, subject, noteLines)
      const headers = ['Host', 'x', 'Content-Length', '99', 'Transfer-Encoding', 'chunked', 'Connection', 'close']
      await fetch({ headers, path: '/none' })
      await fetch({ headers, path: '/length', body: ScriptedBody.of(['abc'], 3), method: 'POST' })
      await fetch({ headers, path: '/chunked', body: ScriptedBody.of(['abc']), method: 'DELETE' })
      assert.deepEqual(
        headsOf(raw.connections).map(({ headers: sent }) => framingOf(sent)),
        [[], ['content-length: 3'], ['transfer-encoding: chunked']],
      )
      assert.equal(raw.connections.length, 1)
    })

    for (const { name, options } of [
      { name: 'a path with a line break', options: { path: '/a\r\nX: 1' } },
      { name: 'a path with a space', options: { path: '/a b' } },
      { name: 'a value with a line break', options: { headers: ['Host', 'x', 'X-A', 'b\r\nX-B: c'] } },
      { name: 'a value with NUL', options: { headers: ['Host', 'x', 'X-A', 'b\0'] } },
      { name: 'a name with a space', options: { headers: ['Host', 'x', 'X A', 'b'] } },
      { name: 'a method that is no token', options: { method: 'GET /x' } },
    ]) {
      test(`${name} is refused and nothing is sent`, async (t) => {
        const { fetch, send, raw } = await arrange(t, subject, noteLines)
        const { sink } = send(options)
        assert.deepEqual(sink.calls, [], 'the sink hears nothing before the call has returned')
        await sink.over
        assert.equal(sink.failure?.reason, 'bad_response')
        assert.equal(sink.failure.requestSent, false)
        assert.equal((await fetch()).text, 'ok')
        assert.deepEqual(linesOf(raw.connections), ['GET / HTTP/1.1'])
      })
    }

    test('CONNECT opens no tunnel', async (t) => {
      const { fetch, raw } = await arrange(t, subject, async (connection) => {
        await connection.readHead()
        connection.write('HTTP/1.1 200 OK\r\n\r\nEVIL')
      })
      assert.equal((await fetch({ method: 'CONNECT' })).failure?.reason, 'bad_response')
      await raw.connections[0]?.gone()
    })

    test('a method in lower case is never sent as another one', async (t) => {
      const { fetch, raw } = await arrange(t, subject, noteLines)
      const sink = await fetch({ method: 'get' })
      const lines = linesOf(raw.connections)
      if (sink.failure === undefined) assert.deepEqual(lines, ['get / HTTP/1.1'])
      else assert.deepEqual(lines, [])
    })
  })
}

interface NotedRequest {
  readonly line: string
  readonly headers: HeaderList
  readonly body: string
}

const noted = new WeakMap<RawConnection, NotedRequest[]>()

/** Reads requests by the framing that they state, one after another, and answers each. */
async function noteLines(connection: RawConnection): Promise<void> {
  const requests: NotedRequest[] = []
  noted.set(connection, requests)
  for (;;) {
    const { line, headers } = await connection.readHead()
    const body = await readFramedBody(connection, headers)
    requests.push({ line, headers, body })
    connection.write(line.startsWith('HEAD') ? OK.slice(0, -2) : OK)
  }
}

async function readFramedBody(connection: RawConnection, headers: HeaderList): Promise<string> {
  const framing = framingOf(headers)
  assert.ok(framing.length <= 1, `one framing field, not ${framing.join(' and ')}`)
  const [name, value = ''] = framing[0]?.split(': ') ?? []
  if (name === 'content-length') return (await connection.readBytes(Number(value))).toString('latin1')
  if (name === 'transfer-encoding') return (await connection.readChunked()).body.toString('latin1')
  return ''
}

function headsOf(connections: readonly RawConnection[]): NotedRequest[] {
  return connections.flatMap((connection) => noted.get(connection) ?? [])
}

function linesOf(connections: readonly RawConnection[]): string[] {
  return headsOf(connections).map(({ line }) => line)
}

function framingOf(headers: HeaderList): string[] {
  return toFields(headers).filter((field) => /^(content-length|transfer-encoding):/.test(field))
}

function countFields(headers: HeaderList): string[] {
  return toFields(headers).sort()
}

function toFields(headers: HeaderList): string[] {
  const fields: string[] = []
  for (let i = 0; i < headers.length; i += 2) fields.push(`${headers[i]?.toLowerCase()}: ${headers[i + 1]}`)
  return fields
}
