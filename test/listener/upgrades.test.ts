import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { waitFor } from '../helpers/wait.ts'
import { answer, collect, settled, startListener, watch } from './listener-harness.ts'

const FIELDS = 'Host: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n'
const UPGRADE = `GET /ws HTTP/1.1\r\n${FIELDS}\r\n`
const GET = 'GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n'
const SWITCH = { status: 101, statusText: 'Switching Protocols', headers: ['Sec-WebSocket-Accept', 'x'] }

test('a request to become a WebSocket is an upgrade, and its socket is handed over', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`${UPGRADE}first`)
  const upgrade = await harness.upgrade(0)
  assert.equal(upgrade.head.target, '/ws')
  assert.equal(upgrade.head.authority, 'a.example')
  assert.deepEqual(upgrade.head.headers.slice(2), ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket'])
  assert.equal(upgrade.client.remotePort, client.socket.localPort)
  const told = watch(upgrade.responder)
  const { socket, first } = upgrade.accept(SWITCH)
  assert.equal(String(first), 'first')
  const head = await client.has('\r\n\r\n')
  assert.equal(
    head,
    'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n',
  )
  socket.on('data', (chunk: Buffer) => socket.write(`<${chunk}>`))
  client.send('ping')
  await client.has('<ping>')
  assert.equal(harness.exchanges.length, 0)
  assert.deepEqual(told, [])
})

test('the fields of a 101 are passed on once, without framing', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(UPGRADE)
  const headers = [
    'upgrade',
    'websocket',
    'connection',
    'upgrade',
    'Transfer-Encoding',
    'chunked',
    'X-A',
    '1',
    'X-A',
    '2',
  ]
  const upgrade = await harness.upgrade(0)
  upgrade.accept({ status: 101, statusText: '', headers })
  assert.equal(
    await client.has('\r\n\r\n'),
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nX-A: 1\r\nX-A: 2\r\nConnection: Upgrade\r\n\r\n',
  )
})

for (const { name, bytes, body } of [
  { name: 'to h2c', bytes: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n' },
  { name: 'in a HEAD', bytes: `HEAD / HTTP/1.1\r\n${FIELDS}\r\n` },
  { name: 'in HTTP/1.0', bytes: `GET / HTTP/1.0\r\n${FIELDS}\r\n` },
  { name: 'with a body', bytes: `GET / HTTP/1.1\r\n${FIELDS}Content-Length: 5\r\n\r\nhello`, body: 'hello' },
  {
    name: 'with a body in chunks',
    bytes: `GET / HTTP/1.1\r\n${FIELDS}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    body: 'hello',
  },
]) {
  test(`an upgrade ${name} is a plain request, and the last of its connection`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(`${bytes}${GET}`)
    const exchange = await harness.exchange(0)
    if (body !== undefined) {
      const collected = collect(exchange)
      await waitFor(() => collected.over, { what: 'the end of the body' })
      assert.equal(String(collected.bytes), body)
    }
    client.send(GET)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    answer(exchange)
    assert.match(await client.rest(), /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/s)
    assert.equal(harness.exchanges.length, 1)
    assert.equal(harness.upgrades.length + harness.rejected.length, 0)
  })
}

test('an Upgrade that Connection does not name is none, and the connection is kept', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  const client = harness.client()
  assert.ok((await client.request({ path: '/', headers: ['Upgrade', 'websocket'] })).kept)
  assert.equal((await client.request({ path: '/' })).status, 200)
})

test('an upgrade behind an unanswered request waits its turn as a plain request', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`${GET}${UPGRADE}`)
  const first = await harness.exchange(0)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  assert.equal(harness.upgrades.length + harness.exchanges.length, 1)
  answer(first, 'first')
  const second = await harness.exchange(1)
  assert.equal(second.head.target, '/ws')
  answer(second, 'second')
  await client.has('second')
})

test('an upgrade with a bad head is refused', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`GET /ws HTTP/1.1\r\nHost: b\r\n${FIELDS}\r\n`)
  assert.match(await client.rest(), /^HTTP\/1\.1 400 /)
  assert.equal(harness.upgrades.length, 0)
  assert.equal(harness.rejected.length, 1)
})

test('an upgrade that is refused is answered, and the connection closes', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`${UPGRADE}early`)
  const upgrade = await harness.upgrade(0)
  const told = watch(upgrade.responder)
  answer(upgrade, 'not here', ['X-A', '1'], 403)
  assert.match(await client.rest(), /^HTTP\/1\.1 403 OK\r\nX-A: 1\r\n.*\r\nConnection: close\r\n.*not here$/s)
  await waitFor(() => told[0], { what: 'the end' })
  assert.deepEqual(told, ['finished'])
  client.send('more')
  client.socket.end()
  await waitFor(() => client.closed, { what: 'the close' })
  assert.equal(client.errorCode, undefined)
  await waitFor(() => harness.listener.connections === 0, { what: 'the close' })
})

test('a large answer to an upgrade goes at the pace of the client', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(UPGRADE)
  client.socket.pause()
  const { responder } = await harness.upgrade(0)
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const total = 256 * chunk.length
  let written = 0
  let over: string | undefined
  const pump = () => {
    while (written < total) {
      written += chunk.length
      if (!responder.write(chunk)) return
    }
    responder.end([])
  }
  responder.watch({
    drained: pump,
    finished: () => {
      over = 'finished'
    },
    gone: (reason) => {
      over = reason
    },
  })
  responder.head({ status: 200, statusText: 'OK', headers: [] })
  pump()
  assert.ok((await settled(() => written)) < total)
  client.socket.resume()
  await waitFor(() => over, { what: 'the end' })
  assert.equal(over, 'finished')
  assert.match(await client.rest(), /\r\nTransfer-Encoding: chunked\r\n.*0\r\n\r\n$/s)
})

test('a client that does not read the answer to its upgrade is cut off', async (t) => {
  const harness = await startListener(t, { timeouts: { writeIdleMs: 300 } })
  const client = harness.raw(UPGRADE)
  client.socket.pause()
  const { responder } = await harness.upgrade(0)
  const told = watch(responder)
  responder.head({ status: 200, statusText: 'OK', headers: [] })
  responder.write(Buffer.alloc(64 * 1024 * 1024))
  await waitFor(() => told[0], { what: 'the cut' })
  assert.deepEqual(told, ['gone idle_timeout'])
})

for (const leave of ['resetAndDestroy', 'destroy', 'end'] as const) {
  test(`a client that leaves before its upgrade is answered is gone (${leave})`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(UPGRADE)
    const upgrade = await harness.upgrade(0)
    const told = watch(upgrade.responder)
    const startedMs = performance.now()
    client.socket[leave]()
    await waitFor(() => told[0], { what: 'the loss' })
    assert.ok(performance.now() - startedMs < 1_500)
    assert.deepEqual(told, ['gone client_gone'])
    await waitFor(() => harness.listener.connections === 0, { what: 'the close' })
  })
}

test('a client that sends much before its upgrade is answered is held back', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(UPGRADE)
  const upgrade = await harness.upgrade(0)
  const total = 32 * 1024 * 1024
  client.send(Buffer.alloc(total, 'x'))
  await settled(() => client.socket.bytesWritten - client.socket.writableLength)
  assert.ok(client.socket.writableLength > total / 2)
  const { socket, first } = upgrade.accept(SWITCH)
  let bytes = first.length
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await waitFor(() => bytes === total, { what: 'all of it' })
})

test('a tunnel is no connection of the listener, but it counts for the limit', async (t) => {
  const count = { open: 0 }
  const harness = await startListener(t, { limits: { connections: 1 }, count })
  const client = harness.raw(UPGRADE)
  const { socket } = (await harness.upgrade(0)).accept(SWITCH)
  t.after(() => socket.destroy())
  assert.equal(harness.listener.connections, 0)
  assert.equal(count.open, 1)
  assert.match(await harness.raw(GET).rest(), /^HTTP\/1\.1 503 /)
  client.socket.destroy()
  socket.resume().end()
  await waitFor(() => count.open === 0, { what: 'room' })
})

test('a drain waits for an upgrade that is not answered, not for a tunnel', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(UPGRADE)
  const upgrade = await harness.upgrade(0)
  let isOver = false
  void harness.listener.drain(0).then(() => {
    isOver = true
  })
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  assert.equal(isOver, false)
  const { socket } = upgrade.accept(SWITCH)
  t.after(() => socket.destroy())
  await waitFor(() => isOver, { what: 'the end of the drain' })
  harness.listener.destroy()
  socket.write('still here')
  await client.has('still here')
})

test('timeouts of HTTP do not reach a tunnel', async (t) => {
  const times = { headerMs: 200, keepAliveMs: 200, bodyIdleMs: 200, writeIdleMs: 200 }
  const harness = await startListener(t, { timeouts: times, exchange: (exchange) => answer(exchange) })
  const client = harness.raw(GET)
  await client.has('ok')
  client.send(UPGRADE)
  const { socket } = (await harness.upgrade(0)).accept(SWITCH)
  t.after(() => socket.destroy())
  // What is closed for its silence tells that the time is over for all.
  await harness.raw().rest()
  await harness.raw(GET).rest()
  await echo(socket, client)
})

test('an error of a socket that was handed over does not end the process', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(UPGRADE)
  const { socket } = (await harness.upgrade(0)).accept(SWITCH)
  client.socket.resetAndDestroy()
  socket.resume()
  await waitFor(() => socket.destroyed, { what: 'the loss' })
})

async function echo(socket: Duplex, client: { send(text: string): void; has(text: string): Promise<string> }) {
  socket.on('data', (chunk: Buffer) => socket.write(`<${chunk}>`))
  client.send('ping')
  await client.has('<ping>')
}
