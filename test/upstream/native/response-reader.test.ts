import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ResponseLog, readResponse } from './response-log.ts'
import { brokenResponses, cutsOf, modelResponses } from './response-model.ts'

const HEAD = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`

test('a response means what it was meant to, however its bytes are split over reads', () => {
  const cases = modelResponses.chain((model) => cutsOf(model.bytes.length).map((cuts) => ({ model, cuts })))
  fc.assert(
    fc.property(cases, ({ model, cuts }) => {
      const log = readResponse(model.bytes, { method: model.method, cuts, closes: model.endsWithConnection })
      const { status, statusText, headers } = model
      const interims = model.interims.map((interim) => ({ ...interim, statusText: 'interim' }))
      assert.deepEqual(log, {
        ...{ interims, head: { status, statusText, headers }, body: model.body, trailers: model.trailers },
        ...{ end: 'over', restBytes: 0, keptMs: log.keptMs },
      })
      assert.equal(log.keptMs > 0, !model.endsWithConnection)
    }),
    { numRuns: 1_000 },
  )
})

test('broken bytes mean the same, or are refused, however they are split over reads', () => {
  const cases = brokenResponses.chain((broken) => cutsOf(broken.bytes.length).map((cuts) => ({ broken, cuts })))
  fc.assert(
    fc.property(cases, ({ broken: { method, bytes }, cuts }) => {
      const whole = readResponse(bytes, { method })
      const split = readResponse(bytes, { method, cuts })
      if (whole.end !== 'malformed') return assert.deepEqual(split, whole)
      assert.equal(split.end, 'malformed')
      assert.ok(split.body.startsWith(whole.body))
    }),
    { numRuns: 3_000 },
  )
})

test('what follows a response is none of it, however the bytes are split', () => {
  const framed = modelResponses.filter((model) => !model.endsWithConnection)
  const cases = framed.chain((model) => cutsOf(model.bytes.length + 4).map((cuts) => ({ model, cuts })))
  fc.assert(
    fc.property(cases, ({ model, cuts }) => {
      const log = readResponse(`${model.bytes}EVIL`, { method: model.method, cuts })
      assert.deepEqual([log.end, log.restBytes, log.body], ['over', 4, model.body])
    }),
  )
})

for (const { name, bytes } of [
  { name: 'a folded line', bytes: `${HEAD}X-A: b\r\n c\r\n\r\n` },
  { name: 'a field that begins with a blank', bytes: `${HEAD} X-A: b\r\n\r\n` },
  { name: 'a field name in Latin', bytes: `${HEAD}X-\xc4: b\r\n\r\n` },
  { name: 'a tab before the colon', bytes: `${HEAD}X-A\t: b\r\n\r\n` },
  { name: 'DEL in a value', bytes: `${HEAD}X-A: b\x7f\r\n\r\n` },
  { name: 'a control byte in a reason', bytes: 'HTTP/1.1 200 O\x07K\r\n\r\n' },
  { name: 'a bare CR in a reason', bytes: 'HTTP/1.1 200 O\rK\r\n\r\n' },
  { name: 'a line that ends in LF', bytes: `${HEAD}X-A: b\nX-B: c\r\n\r\n` },
  { name: 'a head that ends in LF', bytes: `${HEAD}\n` },
  { name: 'an unfinished head with a line that ends in LF', bytes: 'HTTP/1.1 200 OK\nX' },
  { name: 'another protocol, whole line or not', bytes: 'SSH-2' },
  { name: '101', bytes: 'HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n' },
  { name: 'a chunk that goes on behind its size', bytes: `${CHUNKED}2\r\nokEVIL\r\n0\r\n\r\n` },
  { name: 'a chunk with two bytes in place of its line break', bytes: `${CHUNKED}2\r\nok..0\r\n\r\n` },
  { name: 'a chunk size with CR and something else', bytes: `${CHUNKED}2\r.ok\r\n0\r\n\r\n` },
  { name: 'an empty line first', bytes: `\r\n${HEAD}\r\n` },
  { name: 'two spaces before the status', bytes: 'HTTP/1.1  200 OK\r\n\r\n' },
  { name: 'a status with a letter', bytes: 'HTTP/1.1 20O OK\r\n\r\n' },
  { name: 'the protocol in lower case', bytes: 'http/1.1 200 OK\r\n\r\n' },
  { name: 'HTTP/1.2', bytes: 'HTTP/1.2 200 OK\r\n\r\n' },
  { name: 'the same length twice', bytes: `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok` },
  { name: 'a length of 2^53', bytes: `${HEAD}Content-Length: 9007199254740992\r\n\r\nok` },
  { name: 'chunked with a tab', bytes: `${HEAD}Transfer-Encoding: chunked\t\r\n\r\n2\r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk size without a digit', bytes: `${CHUNKED};x\r\nok\r\n0\r\n\r\n` },
  { name: 'a blank behind a chunk size', bytes: `${CHUNKED}2 \r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk size of 2^53', bytes: `${CHUNKED}20000000000000\r\nok\r\n0\r\n\r\n` },
  { name: 'a control byte in a chunk extension', bytes: `${CHUNKED}2;a\x01\r\nok\r\n0\r\n\r\n` },
  { name: 'LF in a chunk extension', bytes: `${CHUNKED}2;a\nok\r\n0\r\n\r\n` },
  { name: 'a chunk extension over 1 KB', bytes: `${CHUNKED}2;${'a'.repeat(1_100)}\r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk size in a thousand digits', bytes: `${CHUNKED}${'0'.repeat(1_100)}2\r\nok\r\n0\r\n\r\n` },
  { name: 'a trailer without a name', bytes: `${CHUNKED}0\r\n: a\r\n\r\n` },
  { name: 'an interim response with chunks', bytes: `HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n${HEAD}\r\n` },
  { name: 'an interim response with a length', bytes: `HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\n${HEAD}\r\n` },
  { name: 'interim responses without end', bytes: 'HTTP/1.1 103 E\r\n\r\n'.repeat(65) },
  { name: 'trailers without end', bytes: `${CHUNKED}0\r\n${'a: b\r\n'.repeat(20_000)}` },
]) {
  test(`${name} is refused`, () => assert.equal(readResponse(bytes).end, 'malformed'))
}

for (const { name, bytes, seen } of [
  { name: 'a reason may be missing', bytes: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', seen: { end: 'over' } },
  { name: 'so may the space before it', bytes: 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', seen: { end: 'over' } },
  {
    name: 'an interim response may say that it is empty',
    bytes: `HTTP/1.1 103 E\r\nContent-Length: 0\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`,
    seen: { body: 'ok' },
  },
  {
    name: 'a length may have leading zeros',
    bytes: `${HEAD}Content-Length: 002\r\n\r\nokEVIL`,
    seen: { body: 'ok', restBytes: 4 },
  },
  {
    name: 'a chunk size may have both cases',
    bytes: `${CHUNKED}00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`,
    seen: { body: '01234567890123456789' },
  },
  {
    name: 'a 204 has no body, but its connection is not trusted where it says otherwise',
    bytes: 'HTTP/1.1 204 N\r\nContent-Length: 4\r\n\r\nEVIL',
    seen: { body: '', restBytes: 4, keptMs: 0 },
  },
  {
    name: 'a 304 has no body whatever length it tells',
    bytes: 'HTTP/1.1 304 N\r\nContent-Length: 4\r\n\r\n',
    seen: { end: 'over', keptMs: 4_000 },
  },
  {
    name: 'close may stand anywhere in Connection',
    bytes: `${HEAD}Connection: x, CLOSE ,y\r\nContent-Length: 0\r\n\r\n`,
    seen: { keptMs: 0 },
  },
  {
    name: 'and in any of its fields',
    bytes: `${HEAD}Connection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n`,
    seen: { keptMs: 0 },
  },
  {
    name: 'HTTP/1.0 is not kept whatever it says',
    bytes: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    seen: { keptMs: 0 },
  },
  {
    name: 'Keep-Alive tells how long the connection may be idle',
    bytes: `${HEAD}Keep-Alive: timeout=7, max=9\r\nContent-Length: 0\r\n\r\n`,
    seen: { keptMs: 6_000 },
  },
] as readonly { name: string; bytes: string; seen: Partial<ResponseLog> }[]) {
  test(name, () => assert.deepEqual({ ...readResponse(bytes), ...seen }, readResponse(bytes)))
}

test('a head that comes byte by byte is looked at once', () => {
  const bytes = `${HEAD}${'X-A: bbbbbbbbbbbbbbbbbbbbbbbbb\r\n'.repeat(2_000)}\r\n`
  const startedMs = performance.now()
  const log = readResponse(bytes, { cuts: Array.from({ length: bytes.length }, (_, i) => i), closes: true })
  assert.equal(log.head?.headers.length, 4_000)
  assert.ok(performance.now() - startedMs < 5_000)
})
