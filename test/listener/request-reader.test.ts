import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readRequests } from './request-log.ts'
import { brokenStreams, cutsOf, lineSoups, modelStreams } from './request-model.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`

test('requests mean what they were meant to, however their bytes are split over reads', () => {
  const cases = modelStreams.chain((models) =>
    cutsOf(models.reduce((sum, { bytes }) => sum + bytes.length, 0)).map((cuts) => ({ models, cuts })),
  )
  fc.assert(
    fc.property(cases, ({ models, cuts }) => {
      const log = readRequests(models.map(({ bytes }) => bytes).join(''), cuts)
      const expected = models.map(({ bytes: _, ...request }) => ({ ...request, httpVersion: '1.1', persists: true }))
      assert.deepEqual(log, { requests: expected, end: 'open', status: 0 })
    }),
    { numRuns: 1_000 },
  )
})

test('broken bytes mean the same, or are refused, however they are split over reads', () => {
  const streams = fc.oneof(brokenStreams, lineSoups)
  const cases = streams.chain((bytes) => cutsOf(bytes.length).map((cuts) => ({ bytes, cuts })))
  fc.assert(
    fc.property(cases, ({ bytes, cuts }) => assert.deepEqual(readRequests(bytes, cuts), readRequests(bytes))),
    { numRuns: 5_000 },
  )
})

for (const { name, bytes, status = 400 } of [
  { name: 'a CR behind the request line', bytes: 'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n' },
  { name: 'two spaces behind the method', bytes: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'a byte above ASCII in the target', bytes: 'GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'a version of two digits', bytes: 'GET / HTTP/1.10\r\nHost: a\r\n\r\n' },
  { name: 'a head that begins with CR', bytes: `\r${GET}\r\n` },
  { name: 'an empty line that ends in LF', bytes: `\n${GET}\r\n` },
  { name: 'an unfinished head with a line that ends in LF', bytes: 'GET / HTTP/1.1\nHost' },
  { name: 'a tab before a colon', bytes: `${GET}X-A\t: b\r\n\r\n` },
  { name: 'chunked with a tab', bytes: `${GET}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n` },
  { name: 'a head over the limit that has not come in full', bytes: `${GET}X-A: ${'b'.repeat(17_000)}`, status: 431 },
  { name: 'a chunk size without a digit', bytes: `${CHUNKED};x\r\nok\r\n0\r\n\r\n` },
  { name: 'an extension without a name', bytes: `${CHUNKED}2;\r\nok\r\n0\r\n\r\n` },
  { name: 'an extension without a value', bytes: `${CHUNKED}2;a=\r\nok\r\n0\r\n\r\n` },
  { name: 'a blank before an extension', bytes: `${CHUNKED}2 ;a\r\nok\r\n0\r\n\r\n` },
  { name: 'text behind a quoted extension', bytes: `${CHUNKED}2;a="b"c\r\nok\r\n0\r\n\r\n` },
  { name: 'a quoted extension without an end', bytes: `${CHUNKED}2;a="b\r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk extension over 1 KB', bytes: `${CHUNKED}2;${'a'.repeat(1_100)}\r\nok\r\n0\r\n\r\n` },
  { name: 'a chunk that goes on behind its size', bytes: `${CHUNKED}2\r\nokEVIL\r\n0\r\n\r\n` },
  { name: 'trailers without end', bytes: `${CHUNKED}0\r\n${'a: b\r\n'.repeat(4_000)}` },
  { name: 'a trailer that speaks of the connection', bytes: `${CHUNKED}0\r\nConnection: close\r\n\r\n` },
  { name: 'a coding among the trailers', bytes: `${CHUNKED}0\r\nTransfer-Encoding: chunked\r\n\r\n` },
]) {
  test(`${name} is refused`, () => {
    const { end, requests, status: told } = readRequests(bytes)
    assert.deepEqual({ end, requests, told }, { end: 'refused', requests: [], told: status })
  })
}

for (const { name, fields, persists } of [
  { name: 'a request lets another one follow', fields: '', persists: true },
  { name: 'close may stand anywhere in Connection', fields: 'Connection: x, CLOSE ,y\r\n', persists: false },
  { name: 'and in any of its fields', fields: 'Connection: close\r\nConnection: keep-alive\r\n', persists: false },
  { name: 'a word that begins like close is another one', fields: 'Connection: closed\r\n', persists: true },
  { name: 'Proxy-Connection may close, too', fields: 'Proxy-Connection: close\r\n', persists: false },
  {
    name: 'behind an upgrade nothing is HTTP for sure',
    fields: 'Connection: upgrade\r\nUpgrade: x\r\n',
    persists: false,
  },
]) {
  test(name, () => {
    const { requests, end } = readRequests(`${GET}${fields}\r\n${GET}\r\n`)
    assert.deepEqual(
      [requests[0]?.persists, requests.length, end],
      [persists, persists ? 2 : 1, persists ? 'open' : 'closed'],
    )
  })
}

test('a head that comes byte by byte is looked at once', () => {
  const bytes = `${GET}X-A: ${'b'.repeat(16_000)}\r\n\r\n`
  const startedMs = performance.now()
  const cuts = Array.from({ length: bytes.length }, (_, i) => i)
  for (let i = 0; i < 5; i++) assert.equal(readRequests(bytes, cuts).requests.length, 1)
  assert.ok(performance.now() - startedMs < 5_000)
})
