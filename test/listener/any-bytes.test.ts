import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { waitFor } from '../helpers/wait.ts'
import { answer, type Harness, RawClient, startListener } from './listener-harness.ts'

const GET = 'GET /get?a=b HTTP/1.1\r\nHost: a.example\r\nX-A:  b\r\n\r\n'
const POST = 'POST /post HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\nhello world'
const CHUNKED =
  'PUT /put HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n'
const LAST = 'GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
const ALL = GET + POST + CHUNKED + GET + LAST

test('bytes mean the same however they are cut into pieces', async (t) => {
  const harness = await startEcho(t)
  const whole = await exchangeBytes(harness, [ALL])
  assert.equal(whole.match(/HTTP\/1\.1 200 /g)?.length, 5)
  assert.equal(whole.match(/hello world/g)?.length, 2)
  const cuts = fc.array(fc.integer({ min: 1, max: ALL.length - 1 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => assert.equal(await exchangeBytes(harness, cut(ALL, places)), whole)),
    { numRuns: 40 },
  )
})

test('no bytes bring the listener down or leave a connection behind', async (t) => {
  const harness = await startEcho(t)
  const piece = fc.oneof(
    fc.constantFrom(
      GET,
      POST,
      CHUNKED,
      LAST,
      'Host: a\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\n',
      '\r\n',
    ),
    fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'CONNECT a:1 HTTP/1.1\r\n',
      'Connection: Upgrade\r\nUpgrade: websocket\r\n',
      '0\r\n\r\n',
    ),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 30 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.boolean(), async (pieces, polite) => {
      const client = new RawClient(harness.port)
      for (const bytes of pieces) client.send(bytes)
      if (polite) client.socket.end()
      else await waitFor(() => client.socket.writableLength === 0, { what: 'the bytes to leave', everyMs: 1 })
      if (!polite) client.socket.destroy()
      await waitFor(() => harness.listener.connections === 0, { what: 'the end of the connection', everyMs: 2 })
      client.socket.destroy()
    }),
    { numRuns: 150 },
  )
})

/** Answers each request with what it understood of it. */
async function startEcho(t: Parameters<typeof startListener>[0]): Promise<Harness> {
  return startListener(t, {
    exchange(exchange) {
      const { method, target, headers } = exchange.head
      const seen = [`${method} ${target}`, ...headers]
      const { body } = exchange
      if (body === undefined) {
        answer(exchange, JSON.stringify(seen), ['Date', 'today'])
        return
      }
      let text = ''
      body.start({
        data: (chunk) => {
          text += chunk
        },
        end: (trailers) => answer(exchange, JSON.stringify([...seen, text, ...trailers]), ['Date', 'today']),
        fail: () => exchange.responder.abort(),
      })
    },
    upgrade: (exchange) => answer(exchange, 'no', [], 403),
  })
}

async function exchangeBytes(harness: Harness, pieces: readonly string[]): Promise<string> {
  const client = new RawClient(harness.port)
  for (const piece of pieces) {
    await new Promise((resolve) => client.socket.write(Buffer.from(piece, 'latin1'), resolve))
  }
  const received = await client.rest()
  client.socket.destroy()
  return received
}

function cut(text: string, places: readonly number[]): string[] {
  const sorted = [0, ...new Set(places), text.length].toSorted((a, b) => a - b)
  return sorted.slice(1).map((end, i) => text.slice(sorted[i], end))
}
