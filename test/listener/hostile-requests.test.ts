import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { answer, collect, startListener } from './listener-harness.ts'

const END = 'Host: a.example\r\n\r\n'

/** Whole requests; `\r\n\r\n` after the head, and whatever follows it, is part of them. */
const REFUSED: readonly { readonly name: string; readonly bytes: string; readonly status?: number }[] = [
  { name: 'bare LF at each line end', bytes: 'GET / HTTP/1.1\nHost: a.example\n\n' },
  { name: 'bare LF behind a field', bytes: `GET / HTTP/1.1\r\nX-A: b\n${END}` },
  { name: 'bare LF behind the request line', bytes: `GET / HTTP/1.1\n${END}` },
  { name: 'bare LF at the end of the head', bytes: 'GET / HTTP/1.1\r\nHost: a.example\r\n\n' },
  { name: 'a bare CR in a value', bytes: `GET / HTTP/1.1\r\nX-A: b\rc\r\n${END}` },
  { name: 'CR CR LF', bytes: `GET / HTTP/1.1\r\nX-A: b\r\r\n${END}` },
  { name: 'a NUL in a value', bytes: `GET / HTTP/1.1\r\nX-A: b\0c\r\n${END}` },
  { name: 'a folded field', bytes: `GET / HTTP/1.1\r\nX-A: b\r\n c\r\n${END}` },
  { name: 'a field folded with a tab', bytes: `GET / HTTP/1.1\r\nX-A: b\r\n\tc\r\n${END}` },
  { name: 'a folded length', bytes: `POST / HTTP/1.1\r\nContent-Length:\r\n 3\r\n${END}abc` },
  { name: 'a folded coding', bytes: `POST / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n${END}0\r\n\r\n` },
  { name: 'a space before the first field', bytes: `GET / HTTP/1.1\r\n X-A: b\r\n${END}` },
  { name: 'a space before a colon', bytes: `POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n${END}0\r\n\r\n` },
  { name: 'a field without a colon', bytes: `GET / HTTP/1.1\r\nX-A\r\n${END}` },
  { name: 'a field without a name', bytes: `GET / HTTP/1.1\r\n: b\r\n${END}` },
  { name: 'a space in the target', bytes: `GET /a b HTTP/1.1\r\n${END}` },
  { name: 'a tab for a space', bytes: `GET\t/ HTTP/1.1\r\n${END}` },
  { name: 'a space behind the version', bytes: `GET / HTTP/1.1 \r\n${END}` },
  { name: 'a method in lower case', bytes: `get / HTTP/1.1\r\n${END}` },
  { name: 'a method that nobody knows', bytes: `FROBNICATE / HTTP/1.1\r\n${END}` },
  { name: 'a method that is no token', bytes: `G@T / HTTP/1.1\r\n${END}` },
  { name: 'HTTP/1.2', bytes: `GET / HTTP/1.2\r\n${END}` },
  { name: 'HTTP/2.0', bytes: `GET / HTTP/2.0\r\n${END}`, status: 505 },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n\r\n', status: 505 },
  { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'a version in lower case', bytes: `GET / http/1.1\r\n${END}` },
  { name: 'a method of RTSP', bytes: `ANNOUNCE / RTSP/1.0\r\n${END}` },
  { name: 'CONNECT', bytes: `CONNECT b.example:443 HTTP/1.1\r\n${END}` },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n' },
  { name: 'an empty Host', bytes: 'GET / HTTP/1.1\r\nHost:\r\n\r\n' },
  { name: 'two Hosts', bytes: `GET / HTTP/1.1\r\nHost: b.example\r\n${END}` },
  { name: 'a Host with a user part', bytes: 'GET / HTTP/1.1\r\nHost: u@a.example\r\n\r\n' },
  { name: 'a Host with a path', bytes: 'GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n' },
  { name: 'a Host with a space', bytes: 'GET / HTTP/1.1\r\nHost: a.example b\r\n\r\n' },
  { name: 'GET *', bytes: `GET * HTTP/1.1\r\n${END}` },
  { name: 'a target of host and port', bytes: `GET a.example:80 HTTP/1.1\r\n${END}` },
  { name: 'a target of another scheme', bytes: `GET ftp://a.example/ HTTP/1.1\r\n${END}` },
  { name: 'a target URL with a user part', bytes: `GET http://u:p@b.example/ HTTP/1.1\r\n${END}` },
  {
    name: 'another expectation',
    bytes: `POST / HTTP/1.1\r\nExpect: miracles\r\nContent-Length: 1\r\n${END}`,
    status: 417,
  },
  { name: '101 fields', bytes: `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(100)}${END}`, status: 431 },
  { name: '3,000 fields', bytes: `GET / HTTP/1.1\r\n${'A:b\r\n'.repeat(3000)}${END}`, status: 431 },
  { name: 'a field of 20 KB', bytes: `GET / HTTP/1.1\r\nX-A: ${'b'.repeat(20_000)}\r\n${END}`, status: 431 },
  { name: 'a target of 20 KB', bytes: `GET /${'b'.repeat(20_000)} HTTP/1.1\r\n${END}`, status: 431 },
  ...[
    { name: 'a length and chunked (CL.TE)', fields: 'Content-Length: 6\r\nTransfer-Encoding: chunked' },
    { name: 'chunked and a length (TE.CL)', fields: 'Transfer-Encoding: chunked\r\nContent-Length: 6' },
    { name: 'two codings (TE.TE)', fields: 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity' },
    { name: 'chunked twice', fields: 'Transfer-Encoding: chunked\r\nTransfer-encoding: chunked' },
    { name: 'chunked, identity', fields: 'Transfer-Encoding: chunked, identity' },
    { name: 'identity', fields: 'Transfer-Encoding: identity' },
    { name: 'gzip, chunked', fields: 'Transfer-Encoding: gzip, chunked' },
    { name: 'chunked, chunked', fields: 'Transfer-Encoding: chunked, chunked' },
    { name: 'a vertical tab and chunked', fields: 'Transfer-Encoding: \x0bchunked' },
    { name: 'a no-break space and chunked', fields: 'Transfer-Encoding: \xa0chunked' },
    { name: 'xchunked', fields: 'Transfer-Encoding: xchunked' },
    { name: 'chunked in quotes', fields: 'Transfer-Encoding: "chunked"' },
    { name: 'chunked with a parameter', fields: 'Transfer-Encoding: chunked;q=1' },
    { name: 'an empty coding', fields: 'Transfer-Encoding:' },
    { name: 'the same length twice', fields: 'Content-Length: 5\r\nContent-Length: 5' },
    { name: 'two lengths', fields: 'Content-Length: 5\r\nContent-Length: 6' },
    { name: 'a list of lengths', fields: 'Content-Length: 5, 5' },
    { name: 'a length with a sign', fields: 'Content-Length: +5' },
    { name: 'a negative length', fields: 'Content-Length: -5' },
    { name: 'a hexadecimal length', fields: 'Content-Length: 0x5' },
    { name: 'a length with a space in it', fields: 'Content-Length: 5 5' },
    { name: 'an empty length', fields: 'Content-Length:' },
    { name: 'a length beyond counting', fields: 'Content-Length: 99999999999999999999' },
    { name: 'a length of 16 digits', fields: 'Content-Length: 9999999999999999' },
  ].map(({ name, fields }) => ({ name, bytes: `POST / HTTP/1.1\r\n${fields}\r\n${END}0\r\n\r\n` })),
  {
    name: 'chunked in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n${END}0\r\n\r\n`,
  },
]

for (const { name, bytes, status = 400 } of REFUSED) {
  test(`${name}: ${status}, and nothing after it is a request`, async (t) => {
    const harness = await startListener(t, { exchange: answer })
    const client = harness.raw(`${bytes}GET /smuggled HTTP/1.1\r\n${END}`)
    const response = await client.rest()
    assert.match(response, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(response, /\r\nConnection: close\r\n/)
    const reason = status === 431 ? 'header_too_large' : 'bad_request'
    assert.match(response, new RegExp(`\r\nX-Pyserve-Reason: ${reason}\r\n`))
    assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1)
    assert.equal(harness.exchanges.length, 0)
    assert.equal(harness.rejected.length, 1)
    assert.equal(harness.rejected[0]?.status, status)
    assert.equal(harness.rejected[0]?.reason, reason)
  })
}

for (const { name, body } of [
  { name: 'a chunk size behind bare LF', body: '5\nhello\r\n0\r\n\r\n' },
  { name: 'a chunk behind bare LF', body: '5\r\nhello\n0\r\n\r\n' },
  { name: 'a hexadecimal prefix', body: '0x5\r\nhello\r\n0\r\n\r\n' },
  { name: 'a chunk size with a sign', body: '+5\r\nhello\r\n0\r\n\r\n' },
  { name: 'a space behind a chunk size', body: '5 \r\nhello\r\n0\r\n\r\n' },
  { name: 'a chunk size beyond counting', body: 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n' },
  { name: 'bare LF in an extension', body: '5;a\nhello\r\n0\r\n\r\n' },
  { name: 'a line end in a quoted extension', body: '5;a="\r\n"\r\nhello\r\n0\r\n\r\n' },
  { name: 'a length among the trailers', body: '0\r\nContent-Length: 5\r\n\r\n' },
  { name: 'a folded trailer', body: '0\r\nX-A: b\r\n c\r\n\r\n' },
]) {
  test(`${name} fails the body, and nothing after it is a request`, async (t) => {
    const harness = await startListener(t)
    const head = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${END}`
    const client = harness.raw(`${head}${body}GET /smuggled HTTP/1.1\r\n${END}`)
    const exchange = await harness.exchange(0)
    const collected = collect(exchange)
    await waitFor(() => collected.over, { what: 'the end of the body' })
    assert.equal(collected.over, 'fail bad_request')
    answer(exchange, 'no', [], 400)
    const response = await client.rest()
    assert.match(response, /^HTTP\/1\.1 400 /)
    assert.match(response, /\r\nConnection: close\r\n/)
    assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1)
    assert.equal(harness.exchanges.length, 1)
    assert.equal(harness.rejected.length, 0)
  })
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/

for (const { where, bytes, accepted } of [
  {
    where: 'a field name',
    bytes: (byte: string) => `GET / HTTP/1.1\r\nX${byte}Y: z\r\n${END}`,
    accepted: (byte: string) => TOKEN.test(byte) || byte === ':',
  },
  {
    where: 'a field value',
    bytes: (byte: string) => `GET / HTTP/1.1\r\nX-A: b${byte}c\r\n${END}`,
    accepted: (byte: string) => /[\t\x20-\x7e\x80-\xff]/.test(byte),
  },
  {
    where: 'a target',
    bytes: (byte: string) => `GET /a${byte}b HTTP/1.1\r\n${END}`,
    accepted: (byte: string) => /[\x21-\x7e]/.test(byte),
  },
]) {
  test(`of all bytes only those that RFC 9110 allows pass in ${where}`, async (t) => {
    const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
    const passed = await Promise.all(
      all.map(async (byte) => {
        const client = harness.raw(bytes(byte))
        return (await client.has('\r\n\r\n')).startsWith('HTTP/1.1 200 ')
      }),
    )
    assert.deepEqual(
      all.filter((_, code) => passed[code]).map((byte) => byte.charCodeAt(0)),
      all.filter(accepted).map((byte) => byte.charCodeAt(0)),
    )
  })
}
