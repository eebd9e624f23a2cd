import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import { type EchoReply, type EchoServer, startEcho } from '../../src/cli/echo-server.ts'

test('the reply is the request as it arrived', async (t) => {
  const echo = await start(t)
  const fields = 'Host: h\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\nConnection: close'
  const reply = await talk(echo, `POST /a%2Fb/../c?x=1&x=2 HTTP/1.1\r\n${fields}\r\n\r\nhello`)
  assert.deepEqual(reply, {
    method: 'POST',
    path: '/a%2Fb/../c?x=1&x=2',
    httpVersion: '1.1',
    headers: [
      ['Host', 'h'],
      ['X-A', '1'],
      ['x-a', '2'],
      ['Content-Length', '5'],
      ['Connection', 'close'],
    ],
    bodyBytes: 5,
    body: 'hello',
    trailers: [],
    tls: false,
    port: echo.port,
  })
})

test('a long body is counted whole and shown up to 64 KB', async (t) => {
  const echo = await start(t)
  const request = httpRequest(echo.url, { method: 'PUT' })
  request.end(Buffer.alloc(1_000_000, 'x'))
  const [response] = await once(request, 'response')
  const reply = (await new Response(response).json()) as EchoReply
  assert.equal(reply.bodyBytes, 1_000_000)
  assert.equal(reply.body.length, 64 * 1024)
})

test('messages come back as they went: text, binary, empty, long', async (t) => {
  const client = await open(t, await start(t))
  const sent = [
    '',
    'hello',
    'ü€',
    Buffer.from([0, 255]),
    Buffer.alloc(126),
    Buffer.alloc(70_000, 1),
    'x'.repeat(65_536),
  ]
  for (const message of sent) {
    client.send(message)
    const [data, isBinary] = await once(client, 'message')
    assert.equal(isBinary, typeof message !== 'string')
    assert.deepEqual(data, Buffer.from(message))
  }
})

test('a message in fragments comes back whole, with a ping between them answered', async (t) => {
  const client = await open(t, await start(t))
  const message = once(client, 'message')
  const pong = once(client, 'pong')
  client.send('a', { fin: false })
  client.ping('p')
  client.send('b', { fin: true })
  assert.equal(String((await message)[0]), 'ab')
  assert.equal(String((await pong)[0]), 'p')
})

test('the close code comes back', async (t) => {
  const client = await open(t, await start(t))
  client.close(4321, 'bye')
  const [code, reason] = await once(client, 'close')
  assert.equal(code, 4321)
  assert.equal(String(reason), 'bye')
})

test('the first of the protocols that are offered is taken', async (t) => {
  const client = await open(t, await start(t), ['chat', 'other'])
  assert.equal(client.protocol, 'chat')
})

for (const { name, frame } of [
  { name: 'an unmasked frame', frame: [0x81, 0x01, 0x61] },
  { name: 'a reserved bit', frame: [0xc1, 0x80, 0, 0, 0, 0] },
  { name: 'an unknown opcode', frame: [0x83, 0x80, 0, 0, 0, 0] },
  { name: 'a continuation of nothing', frame: [0x80, 0x80, 0, 0, 0, 0] },
  { name: 'a fragmented ping', frame: [0x09, 0x80, 0, 0, 0, 0] },
]) {
  test(`${name} is answered with close code 1002`, async (t) => {
    const socket = await openRaw(t, await start(t))
    socket.write(Buffer.from(frame))
    assert.deepEqual([...(await readAll(socket)).subarray(-4)], [0x88, 0x02, 0x03, 0xea])
  })
}

test('a frame too long to hold is answered with close code 1009', async (t) => {
  const socket = await openRaw(t, await start(t))
  socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]))
  assert.deepEqual([...(await readAll(socket)).subarray(-4)], [0x88, 0x02, 0x03, 0xf1])
})

test('frames may be cut anywhere on their way', async (t) => {
  const echo = await start(t)
  // Text "ab" in two fragments with a ping between, then a close; every mask is zero.
  const frames = Buffer.from([
    1, 0x81, 0, 0, 0, 0, 97, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 98, 0x88, 0x80, 0, 0, 0, 0,
  ])
  const expected = [1, 1, 97, 0x8a, 0, 0x80, 1, 98, 0x88, 0]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(frames.length)), async (cuts) => {
      const socket = await openRaw(t, echo)
      let from = 0
      for (const to of [...cuts.toSorted((a, b) => a - b), frames.length]) {
        await new Promise((resolve) => socket.write(frames.subarray(from, to), resolve))
        from = to
      }
      assert.deepEqual([...(await readAll(socket)).subarray(-expected.length)], expected)
    }),
    { numRuns: 30 },
  )
})

test('an upgrade to something else is refused', async (t) => {
  const socket = connect((await start(t)).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  assert.match(String(await readAll(socket)), /^HTTP\/1\.1 400 /)
})

async function start(t: TestContext): Promise<EchoServer> {
  const echo = await startEcho({ host: '127.0.0.1', port: 0, tls: undefined })
  t.after(() => echo.close())
  return echo
}

async function open(t: TestContext, echo: EchoServer, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(echo.url.replace('http', 'ws'), protocols)
  t.after(() => client.terminate())
  await once(client, 'open')
  return client
}

async function openRaw(t: TestContext, echo: EchoServer): Promise<Socket> {
  const socket = connect(echo.port, '127.0.0.1').setNoDelay()
  t.after(() => socket.destroy())
  const fields = 'Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
  socket.write(`GET / HTTP/1.1\r\n${fields}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`)
  return socket
}

async function talk(echo: EchoServer, message: string): Promise<unknown> {
  const socket = connect(echo.port, '127.0.0.1')
  socket.write(message)
  const text = String(await readAll(socket))
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
