import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { waitFor } from '../helpers/wait.ts'
import { answer, collect, settingsWith, settled, startListener, watch } from './listener-harness.ts'

const POST = 'POST /up HTTP/1.1\r\nHost: a.example\r\n'

test('a request is handed on as it stood on the wire', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(
    'GET /a%2Fb/../c?d=e&d=f HTTP/1.1\r\nhOsT: A.example:81\r\nCookie: a\r\nX-A:  b \r\ncookie: c\r\n\r\n',
  )
  const { head, body, client: address } = await harness.exchange(0)
  assert.deepEqual(head, {
    method: 'GET',
    target: '/a%2Fb/../c?d=e&d=f',
    authority: 'A.example:81',
    headers: ['hOsT', 'A.example:81', 'Cookie', 'a', 'X-A', 'b', 'cookie', 'c'],
    httpVersion: '1.1',
  })
  assert.equal(body, undefined)
  assert.deepEqual(address, {
    remoteAddress: '127.0.0.1',
    remotePort: client.socket.localPort,
    localPort: harness.port,
    encrypted: false,
  })
})

for (const { name, bytes, authority, target, httpVersion } of [
  {
    name: "a target URL's authority wins over Host",
    bytes: 'GET http://b.example:81/x HTTP/1.1\r\nHost: a.example\r\n\r\n',
    authority: 'b.example:81',
    target: 'http://b.example:81/x',
    httpVersion: '1.1',
  },
  {
    name: 'OPTIONS * is about the server',
    bytes: 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n',
    authority: 'a.example',
    target: '*',
    httpVersion: '1.1',
  },
  { name: 'HTTP/1.0 needs no Host', bytes: 'GET / HTTP/1.0\r\n\r\n', authority: '', target: '/', httpVersion: '1.0' },
  {
    name: 'empty lines before a request are skipped (RFC 9112 §2.2)',
    bytes: '\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
    authority: 'a.example',
    target: '/',
    httpVersion: '1.1',
  },
]) {
  test(name, async (t) => {
    const harness = await startListener(t)
    harness.raw(bytes)
    const { head } = await harness.exchange(0)
    assert.equal(head.authority, authority)
    assert.equal(head.target, target)
    assert.equal(head.httpVersion, httpVersion)
  })
}

test('as many fields arrive as are allowed, and the limit can be raised while running', async (t) => {
  const harness = await startListener(t, { limits: { headers: 3 }, exchange: (exchange) => answer(exchange) })
  const bytes = `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(3)}\r\n`
  assert.match(await harness.raw(bytes).rest(), /^HTTP\/1\.1 431 /)
  harness.listener.apply({ ...settingsWith({}), limits: { ...settingsWith({}).limits, headers: 4 } })
  assert.match(await harness.raw(bytes).has('\r\n\r\n'), /^HTTP\/1\.1 200 /)
  assert.equal(harness.exchanges[0]?.head.headers.length, 8)
})

test('of very many fields none is dropped', async (t) => {
  const harness = await startListener(t, { limits: { headers: 3000, headerBytes: 65_536 } })
  harness.raw(`GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(2500)}\r\n`)
  assert.equal((await harness.exchange(0)).head.headers.length, 2 * 2501)
})

test('the bytes of a head are limited, and the limit can be raised while running', async (t) => {
  const harness = await startListener(t, { limits: { headerBytes: 1000 }, exchange: (exchange) => answer(exchange) })
  const bytes = `GET /${'b'.repeat(1500)} HTTP/1.1\r\nHost: a\r\n\r\n`
  assert.match(await harness.raw(bytes).rest(), /^HTTP\/1\.1 431 /)
  harness.listener.apply(settingsWith({}))
  assert.match(await harness.raw(bytes).has('\r\n\r\n'), /^HTTP\/1\.1 200 /)
})

test('a body of known length says so and ends with its last byte', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`${POST}Content-Length: 10\r\n\r\nhello`)
  const exchange = await harness.exchange(0)
  assert.equal(exchange.body?.lengthBytes, 10)
  const collected = collect(exchange)
  await waitFor(() => collected.bytes.length === 5, { what: 'the first half' })
  assert.equal(collected.over, undefined)
  client.send('world')
  await waitFor(() => collected.over, { what: 'the end' })
  assert.equal(String(collected.bytes), 'helloworld')
  assert.deepEqual(collected.trailers, [])
})

test('a chunked body has no length and may have trailers', async (t) => {
  const harness = await startListener(t)
  harness.raw(`${POST}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n`)
  const exchange = await harness.exchange(0)
  assert.equal(exchange.body?.lengthBytes, undefined)
  const collected = collect(exchange)
  await waitFor(() => collected.over, { what: 'the end' })
  assert.equal(String(collected.bytes), 'hello')
  assert.deepEqual(collected.trailers, ['X-Sum', '1', 'x-sum', '2'])
})

test('nothing is read before a body is started, nor while it is paused', async (t) => {
  const harness = await startListener(t)
  const total = 64 * 1024 * 1024
  const client = harness.raw(`${POST}Content-Length: ${total}\r\n\r\n`)
  client.send(Buffer.alloc(total))
  const exchange = await harness.exchange(0)
  await settled(() => client.socket.bytesWritten - client.socket.writableLength)
  assert.ok(client.socket.writableLength > total / 2, 'the client is held back')
  let received = 0
  let over: string | undefined
  const { body } = exchange
  body?.start({
    data(chunk) {
      received += chunk.length
      if (received > 1024 * 1024 && received - chunk.length <= 1024 * 1024) body.pause()
    },
    end: () => {
      over = 'end'
    },
    fail: (reason) => {
      over = reason
    },
  })
  await waitFor(() => received > 1024 * 1024, { what: 'the first megabyte' })
  const atPause = await settled(() => received)
  assert.ok(atPause < 2 * 1024 * 1024, `${atPause} bytes came although it was paused`)
  body?.resume()
  await waitFor(() => over, { what: 'the end' })
  assert.equal(over, 'end')
  assert.equal(received, total)
})

test('a client that waits is told to continue when the body is started, not before', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
  const exchange = await harness.exchange(0)
  for (let i = 0; i < 10; i++) await nextTurn()
  assert.equal(client.received, '')
  const collected = collect(exchange)
  assert.equal(await client.has('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.send('hello')
  await waitFor(() => collected.over, { what: 'the end' })
  answer(exchange)
  await client.has('ok')
  client.send(`${POST}Content-Length: 2\r\n\r\nhi`)
  await harness.exchange(1)
})

test('a client that waits and is refused is not told to continue, and the connection closes', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange, 'no', [], 403) })
  const client = harness.raw(`${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
  const response = await client.rest()
  assert.match(response, /^HTTP\/1\.1 403 /)
  assert.match(response, /\r\nConnection: close\r\n/)
})

test('an HTTP/1.0 client is never told to continue', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello')
  const exchange = await harness.exchange(0)
  const collected = collect(exchange)
  await waitFor(() => collected.over, { what: 'the end' })
  answer(exchange)
  assert.match(await client.rest(), /^HTTP\/1\.1 200 /)
})

test('a client that is silent within its body fails the body, and can still be answered', async (t) => {
  const harness = await startListener(t, { timeouts: { bodyIdleMs: 300 } })
  const client = harness.raw(`${POST}Content-Length: 10\r\n\r\nhello`)
  const exchange = await harness.exchange(0)
  const collected = collect(exchange)
  await waitFor(() => collected.over, { what: 'the failure' })
  assert.equal(collected.over, 'fail idle_timeout')
  answer(exchange, 'slow', [], 408)
  const response = await client.rest()
  assert.match(response, /^HTTP\/1\.1 408 /)
  assert.match(response, /\r\nConnection: close\r\n/)
})

test('a body that is paused on this side is no silence of the client', async (t) => {
  const harness = await startListener(t, { timeouts: { bodyIdleMs: 100 } })
  const other = await startListener(t, { timeouts: { bodyIdleMs: 100 } })
  const bytes = `${POST}Content-Length: 10\r\n\r\nhello`
  harness.raw(bytes)
  const paused = await harness.exchange(0)
  const collected = collect(paused)
  paused.body?.pause()
  // A body that flows, begun later, tells when the time is over.
  other.raw(bytes)
  const flowing = collect(await other.exchange(0))
  await waitFor(() => flowing.over, { what: 'the silence of the other' })
  assert.equal(collected.over, undefined)
  paused.body?.resume()
  await waitFor(() => collected.over === 'fail idle_timeout', { what: 'its silence once it flows' })
})

for (const { name, leave } of [
  { name: 'resets the connection', leave: 'resetAndDestroy' },
  { name: 'closes the connection', leave: 'destroy' },
  { name: 'ends its side', leave: 'end' },
] as const) {
  test(`a client that ${name} within its body fails the body and is gone`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(`${POST}Content-Length: 10\r\n\r\nhello`)
    const exchange = await harness.exchange(0)
    const told = watch(exchange.responder)
    const collected = collect(exchange)
    await waitFor(() => collected.bytes.length === 5, { what: 'the first half' })
    client.socket[leave]()
    await waitFor(() => told.length > 0 && collected.over, { what: 'the loss' })
    assert.equal(collected.over, 'fail client_gone')
    assert.deepEqual(told, ['gone client_gone'])
    assert.equal(harness.rejected.length, 0)
    assert.equal(harness.listener.connections, 0)
  })
}

test('a head that comes too slowly is answered 408', async (t) => {
  const harness = await startListener(t, { timeouts: { headerMs: 300 } })
  const client = harness.raw('GET / HTTP/1.1\r\nHost: a')
  const response = await client.rest()
  assert.match(response, /^HTTP\/1\.1 408 /)
  assert.match(response, /\r\nConnection: close\r\n/)
  assert.match(response, /\r\nX-Pyserve-Reason: idle_timeout\r\n/)
  assert.equal(harness.rejected.length, 1)
})

test('a head that comes drop by drop is no faster for it, on a kept connection too', async (t) => {
  const harness = await startListener(t, { timeouts: { headerMs: 300 }, exchange: (exchange) => answer(exchange) })
  const client = harness.raw('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.has('ok')
  client.received = ''
  client.send('GET / HTTP/1.1\r\n')
  const timer = setInterval(() => client.send('X'), 20)
  t.after(() => clearInterval(timer))
  assert.match(await client.has('\r\n\r\n'), /^HTTP\/1\.1 408 /)
})

test('a connection on which nothing is said is closed without a word', async (t) => {
  const harness = await startListener(t, { timeouts: { headerMs: 300 } })
  const client = harness.raw()
  assert.equal(await client.rest(), '')
  assert.equal(harness.rejected.length, 0)
})

test('a client that leaves in the middle of a head is told what was wrong', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw('GET / HTTP/1.1\r\nHost: a')
  client.socket.end()
  assert.match(await client.rest(), /^HTTP\/1\.1 400 /)
  assert.equal(harness.rejected.length, 1)
})
