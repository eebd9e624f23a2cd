import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BodySource } from '../../../src/exchange.ts'
import type { HeaderList } from '../../../src/header-list.ts'
import type { UpstreamRequest } from '../../../src/upstream/engine.ts'
import { renderLastChunk, renderRequestHead } from '../../../src/upstream/native/request-head.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'

const NEXT = 'GET /next HTTP/1.1\r\n\r\n'
const EVIL = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  '\x7f',
  '\u010d',
  '\u010a',
  '\u{1f600}',
  '\r\n\r\nGET /evil HTTP/1.1\r\n\r\n',
]

const evils = fc.constantFrom(...EVIL)
const visible = stringOf(fc.integer({ min: 0x21, max: 0x7e }))
const octets = stringOf(fc.integer({ min: 0x21, max: 0xff }))
const names = fc.oneof(
  fc.constantFrom('Host', 'X-A', 'x-a', 'Content-Length', 'TRANSFER-ENCODING', 'Trailer', 'Connection', 'Accept'),
  stringOf(fc.constantFrom(...'azAZ09-_!|~')).map((name) => `x${name}`),
)

const requests = fc.record({
  method: lace(fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PROPFIND', 'CONNECT')),
  path: lace(fc.oneof(visible, octets).map((path) => `/${path}`)),
  headers: fc.array(fc.tuple(lace(names), lace(octets)), { maxLength: 5 }).map((pairs) => pairs.flat()),
  body: fc.constantFrom(undefined, 3, 'chunked' as const),
  trailers: fc.array(fc.tuple(lace(names), lace(octets)), { maxLength: 2 }).map((pairs) => pairs.flat()),
})

test('no method, path, field or trailer crosses with another meaning than it had', async () => {
  let sent = 0
  const server = createServer({ requireHostHeader: false, maxHeaderSize: 65_536 })
  await fc.assert(
    fc.asyncProperty(requests, async ({ body, trailers, ...parts }) => {
      const request = createRequest({ ...parts, body: createBody(body) })
      const text = renderOrRefuse(() => renderRequestHead(request) + renderBody(body, trailers))
      if (text === undefined) return
      const seen = await readWithNode(server, Buffer.from(text + NEXT, 'latin1'))
      if (seen.length === 0) return
      sent++
      const carried = body === 'chunked' ? trailers.map(trimBlanks) : []
      assert.deepEqual(seen, [
        { method: request.method, path: request.path, headers: expectedFields(request), trailers: carried },
        { method: 'GET', path: '/next', headers: [], trailers: [] },
      ])
    }),
    { numRuns: 1_500 },
  )
  assert.ok(sent > 300, `${sent} requests were compared`)
})

for (const { name, ...parts } of [
  { name: 'a method with a line break', method: 'GET / HTTP/1.1\r\nX: ' },
  { name: 'no method', method: '' },
  { name: 'CONNECT', method: 'CONNECT' },
  { name: 'no path', path: '' },
  { name: 'a path with LF', path: '/a\nb' },
  { name: 'a path with NUL', path: '/a\0b' },
  { name: 'a path with DEL', path: '/a\x7fb' },
  { name: 'a path whose character is LF in its lower octet', path: '/a\u010ab' },
  { name: 'a value whose character is LF in its lower octet', headers: ['X-A', 'a\u010ab'] },
  { name: 'a name whose character is a colon in its lower octet', headers: ['X\u013aA', 'a'] },
  { name: 'an empty name', headers: ['', 'a'] },
  { name: 'a name with a colon', headers: ['X-A: b', 'a'] },
  { name: 'a value with LF', headers: ['X-A', 'a\nb'] },
]) {
  test(`${name} is never written`, () =>
    assert.throws(() => renderRequestHead(createRequest(parts)), /^Error: .*request/))
}

test('a trailer that could split is never written', () => {
  for (const trailers of [
    ['X-A', 'a\r\nb'],
    ['X A', 'b'],
    ['X-A', '\u010a'],
  ]) {
    assert.throws(() => renderLastChunk(trailers), /^Error: .*request field/)
  }
})

test('the head is what it was given, with its framing behind it', () => {
  const headers = ['hOST', 'x', 'Expect', '100-continue', 'Trailer', 'X-A', 'UPGRADE', 'h2c', 'expect-ct', '1', 'X', '']
  const head = 'PUT /?a=\xe9#\\ HTTP/1.1\r\nhOST: x\r\n'
  const render = (body: BodySource | undefined) =>
    renderRequestHead(createRequest({ method: 'PUT', path: '/?a=\xe9#\\', headers, body }))
  assert.equal(render(undefined), `${head}expect-ct: 1\r\nX: \r\nContent-Length: 0\r\n\r\n`)
  assert.equal(render(new ScriptedBody(7)), `${head}expect-ct: 1\r\nX: \r\nContent-Length: 7\r\n\r\n`)
  assert.equal(
    render(new ScriptedBody()),
    `${head}Trailer: X-A\r\nexpect-ct: 1\r\nX: \r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
})

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: HeaderList
  readonly trailers: HeaderList
}

function createRequest(parts: Partial<UpstreamRequest>): UpstreamRequest {
  const timeouts = { connectMs: 0, responseMs: 0, idleMs: 0 }
  return { method: 'GET', path: '/', headers: [], body: undefined, timeouts, ...parts }
}

function createBody(kind: number | 'chunked' | undefined): BodySource | undefined {
  return kind === undefined ? undefined : new ScriptedBody(kind === 'chunked' ? undefined : kind)
}

function renderBody(kind: number | 'chunked' | undefined, trailers: HeaderList): string {
  if (kind === 'chunked') return `3\r\nabc\r\n${renderLastChunk(trailers)}`
  return kind === undefined ? '' : 'abc'
}

function renderOrRefuse(render: () => string): string | undefined {
  try {
    return render()
  } catch {
    return undefined
  }
}

function expectedFields({ method, headers, body }: UpstreamRequest): string[] {
  const dropped =
    body?.lengthBytes === undefined && body !== undefined
      ? /^(content-length|transfer-encoding|connection)$/i
      : /^(content-length|transfer-encoding|connection|trailer)$/i
  const fields: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2)
    if (!dropped.test(name)) fields.push(name, trimBlanks(value))
  }
  if (body !== undefined && body.lengthBytes === undefined) return [...fields, 'Transfer-Encoding', 'chunked']
  if (body !== undefined) return [...fields, 'Content-Length', String(body.lengthBytes)]
  return method === 'GET' || method === 'DELETE' ? fields : [...fields, 'Content-Length', '0']
}

/** RFC 9110 §5.5: they are no part of a value. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** The requests that node:http sees in these bytes; none where it refuses the first of them. */
function readWithNode(server: Server, bytes: Buffer): Promise<SeenRequest[]> {
  const { promise, resolve } = Promise.withResolvers<SeenRequest[]>()
  const seen: SeenRequest[] = []
  const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  server.removeAllListeners('request').removeAllListeners('clientError')
  server.on('request', (request, response) => {
    request.resume().on('end', () => {
      const { method = '', url: path = '', rawHeaders: headers, rawTrailers: trailers } = request
      seen.push({ method, path, headers, trailers })
      response.end()
      if (path === '/next') finish()
    })
  })
  server.on('clientError', finish)
  server.emit('connection', connection)
  connection.push(bytes)
  return promise

  function finish() {
    connection.destroy()
    resolve(seen)
  }
}

function stringOf(codes: fc.Arbitrary<number | string>): fc.Arbitrary<string> {
  const characters = codes.map((code) => (typeof code === 'string' ? code : String.fromCharCode(code)))
  return fc.string({ unit: characters, maxLength: 20 })
}

/** Mostly the text itself, sometimes with something in it that has no place there. */
function lace(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const laced = fc.tuple(texts, evils, fc.nat(20)).map(([text, evil, at]) => text.slice(0, at) + evil + text.slice(at))
  return fc.oneof({ arbitrary: texts, weight: 24 }, { arbitrary: laced, weight: 1 })
}
