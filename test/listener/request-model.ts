import { METHODS } from 'node:http'
import fc from 'fast-check'
import type { HeaderList } from '../../src/header-list.ts'

/** A request as it was meant, and its bytes. */
export interface ModelRequest {
  readonly method: string
  readonly target: string
  readonly headers: HeaderList
  readonly body: string
  readonly trailers: HeaderList
  readonly bytes: string
}

const TOKEN_CHARACTERS = "abcXYZ019!#$%&'*+-.^_`|~"
const OWN_FIELDS =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|expect|upgrade|trailer)$/i

const names = fc
  .string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 20 })
  .filter((name) => !OWN_FIELDS.test(name))

/** Visible, obs-text, and blanks within. */
const values = latin1(
  fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)),
).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''))

const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 })

const fields = fc.array(fc.tuple(names, values), { maxLength: 6 }).map((pairs) => pairs.flat())

const bodies = latin1(fc.integer({ min: 0, max: 0xff }), 400)

const targets = fc.oneof(
  fc.constantFrom('/', '/a/b?c=d', '/%2F//x', 'http://a.example/x', 'HTTPS://b.example:8443'),
  fc.array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 30 }).map((codes) => `/${String.fromCharCode(...codes)}`),
)

const methods = fc.oneof(
  { arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'), weight: 4 },
  { arbitrary: fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT')), weight: 1 },
)

/** Requests that let another one follow, of every framing that there is. */
export const modelRequests: fc.Arbitrary<ModelRequest> = fc
  .record({
    emptyLines: fc.constantFrom('', '', '', '\r\n', '\r\n\r\n'),
    method: methods,
    target: targets,
    fields,
    blanks,
    own: fc.constantFrom<HeaderList>(
      ['Host', 'a.example'],
      ['hOST', '[::1]:8080'],
      ['Host', 'a.example', 'Connection', 'keep-alive'],
      ['Connection', 'X-A, Keep-Alive', 'Host', 'a'],
      ['Host', 'a', 'Expect', '100-continue'],
      ['Host', 'a', 'Upgrade', 'h2c'],
    ),
    framing: fc.constantFrom('none', 'length', 'chunked'),
    chunks: fc.array(bodies, { maxLength: 6 }),
    extension: fc.constantFrom('', ';x', ';x=y', ';x="a;b c"', ';x;y=1'),
    trailers: fields,
  })
  .map((choice) => {
    const { method, target, framing, extension, own } = choice
    const chunks = framing === 'none' ? [] : choice.chunks.filter((chunk) => chunk !== '')
    const body = chunks.join('')
    const trailers = framing === 'chunked' ? choice.trailers : []
    const headers = [...own, ...choice.fields]
    if (framing === 'chunked') headers.push('Transfer-Encoding', 'Chunked')
    else if (framing === 'length') headers.push('content-Length', String(body.length))
    const coded = chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join('')
    const end = `000\r\n${renderFields(trailers, choice.blanks)}\r\n`
    const head = `${method} ${target} HTTP/1.1\r\n${renderFields(headers, choice.blanks)}\r\n`
    const bytes = choice.emptyLines + head + (framing === 'chunked' ? coded + end : body)
    return { method, target, headers, body, trailers, bytes }
  })

/** Several of them behind each other. */
export const modelStreams: fc.Arbitrary<readonly ModelRequest[]> = fc.array(modelRequests, {
  minLength: 1,
  maxLength: 4,
})

/** Streams with a few bytes exchanged, lost, or doubled: most of them broken. */
export const brokenStreams: fc.Arbitrary<string> = fc
  .tuple(
    modelStreams,
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        drop: fc.nat(2),
        insert: fc.constantFrom(
          ...[
            '',
            '\r',
            '\n',
            '\r\n',
            '\r\n\r\n',
            '\0',
            ' ',
            '\t',
            ':',
            ',',
            ';',
            '0',
            '1',
            'f',
            'z',
            '\x80',
            '\x7f',
            '"',
          ],
          ...['close', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '\r\nConnection: close', ' HTTP/1.1'],
          ...['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '0\r\n\r\n', '\r\n ', '\r\n\t'],
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([requests, edits]) =>
    edits.reduce(
      (text, { at, drop, insert }) => {
        const index = Math.floor(at * text.length)
        return text.slice(0, index) + insert + text.slice(index + drop)
      },
      requests.map(({ bytes }) => bytes).join(''),
    ),
  )

/** Requests put together from lines that each parser has had its trouble with. */
export const lineSoups: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      ...[
        'GET / HTTP/1.1',
        'POST /p HTTP/1.1',
        'POST /p HTTP/1.0',
        'GET / HTTP/1.0',
        'GET  / HTTP/1.1',
        'GET /  HTTP/1.1',
      ],
      ...[
        'GET / HTTP/1.1 ',
        'GET / HTTP/1.2',
        'GET / HTTP/01.1',
        'GET /',
        'get / HTTP/1.1',
        'SOURCE / HTTP/1.1',
        'PRI * HTTP/1.1',
      ],
      ...[
        'OPTIONS * HTTP/1.1',
        'GET a.example:80 HTTP/1.1',
        'GET http://b/ HTTP/1.1',
        'ANNOUNCE / HTTP/1.1',
        'GET / HTTP/1.1\r',
      ],
    ),
    fc.array(
      fc.constantFrom(
        ...[
          'Host: a',
          'Host: b',
          'Host:',
          'Host: a, b',
          'Host: a/b',
          ' Host: a',
          'X: y',
          'X:',
          'X: y\r',
          'X : y',
          ': y',
          'X',
          '',
        ],
        ...[
          'Content-Length: 5',
          'Content-Length: 05',
          'Content-Length: +5',
          'Content-Length: 5 ',
          'Content-Length:\t5\t',
        ],
        ...['Content-Length: 5, 5', 'Content-Length: 0x5', 'Content-Length: 5 5', 'Content-Length: 9007199254740993'],
        ...[
          'Content-Length: 18446744073709551617',
          'Content-Length:',
          'Content-Length : 5',
          'content_length: 5',
          'CONTENT-LENGTH: 0',
        ],
        ...[
          'Transfer-Encoding: chunked',
          'Transfer-Encoding: CHUNKED ',
          'Transfer-Encoding: chunked\t',
          'Transfer-Encoding:\tchunked',
        ],
        ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity'],
        ...[
          'Transfer-Encoding: \x0bchunked',
          'Transfer-Encoding: "chunked"',
          'Transfer-Encoding: chunked;q=1',
          'Transfer-Encoding:',
        ],
        ...[
          'Transfer-Encoding : chunked',
          'Transfer_Encoding: chunked',
          'Transfer-Encoding: x',
          ' Transfer-Encoding: chunked',
        ],
        ...[
          'Connection: close',
          'Connection: keep-alive',
          'Connection: keep-alive, close',
          'Connection: Close,Keep-Alive',
        ],
        ...[
          'Connection: closed',
          'Connection: x close',
          'Connection:\tclose\t',
          'Connection: "close"',
          'Proxy-Connection: close',
        ],
        ...[
          'Connection: upgrade',
          'Upgrade: websocket',
          'Upgrade: h2c',
          'Expect: 100-continue',
          'Expect: x',
          'Connection: , ,close,',
        ],
      ),
      { maxLength: 3 },
    ),
    fc.array(
      fc.constantFrom(
        ...[
          'hello',
          '0\r\n\r\n',
          '5\r\nhello\r\n0\r\n\r\n',
          '5;x\r\nhello\r\n0\r\nA: b\r\n\r\n',
          '05\r\nhello\r\n00\r\n\r\n',
          '5 \r\nhello\r\n',
        ],
        ...[
          '5\nhello\n0\n\n',
          '0x5\r\nhello\r\n',
          '5\r\nhelloX\r\n',
          '0\r\nContent-Length: 5\r\n\r\n',
          '0\r\nConnection: close\r\n\r\n',
        ],
        ...[
          '0;\r\n\r\n',
          '5;a="\r\n"\r\nhello\r\n',
          '5;;\r\nhello\r\n0\r\n\r\n',
          '0\r\n\r\n\r\n',
          '0\r\nTransfer-Encoding: chunked\r\n\r\n',
          '\n',
          '\r',
        ],
        ...['GET /next HTTP/1.1\r\nHost: a\r\n\r\n', '\r\n', 'GET /evil HTTP/1.1\r\n\r\n'],
      ),
      { maxLength: 4 },
    ),
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n'),
  )
  .map(([line, lines, rest, lineEnd]) => [line, 'Host: a.example', ...lines, '', ''].join(lineEnd) + rest.join(''))

/** Cuts of a text of that length, in order. */
export function cutsOf(length: number): fc.Arbitrary<number[]> {
  const every = fc.constant(Array.from({ length }, (_, i) => i))
  const some = fc.array(fc.nat(length), { maxLength: 40 }).map((cuts) => cuts.sort((a, b) => a - b))
  return fc.oneof({ arbitrary: some, weight: 4 }, { arbitrary: every, weight: 1 })
}

function renderFields(headers: HeaderList, blank: string): string {
  let text = ''
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value] = headers.slice(i, i + 2)
    const around = OWN_FIELDS.test(name) ? blank.replaceAll('\t', ' ') : blank
    text += `${name}:${around}${value}${around}\r\n`
  }
  return text
}

function latin1(codes: fc.Arbitrary<number>, maxLength = 30): fc.Arbitrary<string> {
  return fc.array(codes, { maxLength }).map((octets) => String.fromCharCode(...octets))
}
