import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import type { WebSocket } from 'ws'
import { closeFrame } from '../../src/proxy/websocket-frames.ts'
import { fakeTimers } from './fake-timers.ts'
import { readBytes, readToEnd, splice, spliceWebSockets, until } from './tunnel-harness.ts'
import { encodeFrame, frameSizes } from './websocket-stream.ts'

const GOING_AWAY = closeFrame(1001, { mask: false })
const LARGE_BYTES = 8 * 1024 * 1024

const frame = (payloadBytes: number, isMasked: boolean) =>
  encodeFrame({ opcode: 2, isFinal: true, reserved: 0, isMasked, payloadBytes })

const closeCode = async (socket: WebSocket) => {
  const [code] = (await once(socket, 'close')) as [number]
  return code
}

for (const { name, perMessageDeflate } of [
  { name: 'close', perMessageDeflate: false },
  { name: 'close of a compressed connection', perMessageDeflate: true },
]) {
  test(`${name} arrives as a clean 1001 on both sides`, async (t) => {
    const options = { perMessageDeflate }
    const { client, backend, tunnel, closed } = await spliceWebSockets(t, { client: options, backend: options })
    client.send('a message, a message, a message')
    await once(backend, 'message')
    const codes = Promise.all([closeCode(client), closeCode(backend)])
    tunnel.close(1001)
    assert.deepEqual(await codes, [1001, 1001])
    assert.equal((await closed).reason, 'draining')
  })
}

for (const { name, from, to } of [
  { name: 'in the middle of a fragmented message of the backend', from: 'backend', to: 'client' },
  { name: 'in the middle of a fragmented message of the client', from: 'client', to: 'backend' },
] as const) {
  test(`${name}, close arrives as a clean 1001 on both sides`, async (t) => {
    const pair = await spliceWebSockets(t)
    pair[from].send('the first fragment', { fin: false })
    pair[from].ping()
    await once(pair[to], 'ping')
    const codes = Promise.all([closeCode(pair.client), closeCode(pair.backend)])
    pair.tunnel.close(1001)
    assert.deepEqual(await codes, [1001, 1001])
    assert.equal((await pair.closed).reason, 'draining')
  })

  test(`a large frame that the ${from} is sending is finished before a clean 1001`, async (t) => {
    const pair = await spliceWebSockets(t)
    const message = once(pair[to], 'message') as Promise<[Buffer]>
    const codes = Promise.all([closeCode(pair.client), closeCode(pair.backend)])
    pair[from].send(Buffer.alloc(LARGE_BYTES, 'x'))
    await once(socketOf(pair[to]), 'data')
    pair.tunnel.close(1001)
    const [data] = await message
    assert.equal(data.length, LARGE_BYTES)
    assert.deepEqual(await codes, [1001, 1001])
    assert.equal((await pair.closed).reason, 'draining')
  })
}

test('the client gets whole frames, then Close 1001, and nothing after it, whenever close is called', async (t) => {
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 60_000, max: 70_000 })), {
    minLength: 1,
    maxLength: 5,
  })
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(400_000), async (payloads, at) => {
      const { client, backend, tunnel, closed } = await splice(t)
      const sent = Buffer.concat(payloads.map((bytes) => frame(bytes, false)))
      const before = at % (sent.length + 1)
      backend.write(sent.subarray(0, before))
      const early = before > 0 ? await readBytes(client, before) : Buffer.alloc(0)
      tunnel.close(1001)
      client.write(closeFrame(1001, { mask: true }))
      backend.end(Buffer.concat([sent.subarray(before), closeFrame(1001, { mask: false })]))
      const atClient = Buffer.concat([early, await readToEnd(client)])
      client.end()
      backend.resume()
      await closed
      const end = frameSizes(sent).boundaries.find((boundary) => boundary >= before)
      assert.deepEqual(atClient, Buffer.concat([sent.subarray(0, end), GOING_AWAY]))
    }),
    { numRuns: 60 },
  )
})

test('what the client sent before its answer, and the answer, reach the backend', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  const atBackend = readToEnd(backend)
  tunnel.close(1001)
  assert.deepEqual(await readBytes(client, 4), GOING_AWAY)
  const sent = Buffer.concat([frame(1_000, true), closeFrame(1001, { mask: true })])
  client.write(sent)
  await once(backend, 'data')
  backend.end(closeFrame(1001, { mask: false }))
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  assert.deepEqual(await atBackend, sent)
  assert.deepEqual(await closed, { reason: 'draining', bytesIn: sent.length, bytesOut: 0 })
})

test('FIN goes to each side when it has answered, and not before', async (t) => {
  fakeTimers(t)
  const { client, backend, nearClient, nearBackend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  await readBytes(client, 4)
  client.write(closeFrame(1001, { mask: true }))
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  await readBytes(backend, 8)
  await until(() => nearClient.readableEnded)
  assert.equal(nearBackend.writableEnded, false)
  backend.write(closeFrame(1001, { mask: false }))
  assert.equal((await readToEnd(backend)).length, 0)
  backend.end()
  assert.equal((await closed).reason, 'draining')
})

test('a backend that answers and closes first does not end the wait for the client', async (t) => {
  fakeTimers(t)
  const { client, backend, nearClient, nearBackend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  await readBytes(client, 4)
  backend.end(closeFrame(1001, { mask: false }))
  await until(() => nearBackend.readableEnded)
  assert.equal(nearClient.writableEnded, false)
  client.write(closeFrame(1001, { mask: true }))
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  await readToEnd(backend)
  assert.equal((await closed).reason, 'draining')
})

test('a client that answers with FIN alone is waited for no longer', async (t) => {
  fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  await readBytes(client, 4)
  client.end()
  assert.equal((await readToEnd(client)).length, 0)
  await readToEnd(backend)
  backend.end()
  assert.equal((await closed).reason, 'draining')
})

test('an answer that comes in one piece with the end of a frame is seen', async (t) => {
  fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t)
  const sent = frame(10, false)
  backend.write(sent.subarray(0, 4))
  await readBytes(client, 4)
  tunnel.close(1001)
  client.write(closeFrame(1001, { mask: true }))
  await readBytes(backend, 8)
  backend.write(Buffer.concat([sent.subarray(4), closeFrame(1001, { mask: false })]))
  assert.equal((await readToEnd(backend)).length, 0)
  backend.end()
  assert.deepEqual(await readToEnd(client), Buffer.concat([sent.subarray(4), GOING_AWAY]))
  client.end()
  await closed
})

test('what a peer sends after its Close goes nowhere and breaks nothing', async (t) => {
  fakeTimers(t)
  const { client, backend, nearBackend, tunnel, closed } = await splice(t)
  client.write(closeFrame(1000, { mask: true }))
  await readBytes(backend, 8)
  tunnel.close(1001)
  const answer = closeFrame(1000, { mask: false })
  backend.write(answer)
  assert.deepEqual(await readBytes(client, 4), answer)
  backend.write('more')
  await until(() => nearBackend.bytesRead === 8)
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  backend.resume().end()
  assert.deepEqual(await closed, { reason: 'draining', bytesIn: 8, bytesOut: 4 })
})

test('a backend whose client does not answer is sent a masked 1001, and nothing after it', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  await readBytes(client, 4)
  timers.tick(1_000)
  const close = await readBytes(backend, 8)
  assert.deepEqual([...close.subarray(0, 2)], [0x88, 0x82])
  assert.equal(close.readUInt16BE(6) ^ close.readUInt16BE(2), 1001)
  client.write(frame(10, true))
  const rest = readToEnd(backend)
  backend.end(close)
  client.end(closeFrame(1001, { mask: true }))
  assert.equal((await rest).length, 0)
  assert.deepEqual(await closed, { reason: 'draining', bytesIn: 0, bytesOut: 0 })
})

test('peers that do not answer, and go on sending, are cut after two seconds', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, nearClient, nearBackend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  for (let tick = 0; tick < 19; tick++) {
    const read = nearClient.bytesRead + nearBackend.bytesRead
    client.write(frame(10, true))
    backend.write(frame(10, false))
    await until(() => nearClient.bytesRead + nearBackend.bytesRead >= read + 28)
    timers.tick(100)
  }
  assert.equal(nearClient.destroyed, false)
  timers.tick(100)
  assert.equal((await closed).reason, 'draining')
})

test('a deaf client is cut after two seconds, in the middle of a frame', async (t) => {
  const timers = fakeTimers(t)
  const { backend, nearBackend, tunnel, closed } = await splice(t)
  backend.write(frame(4 * LARGE_BYTES, false))
  await until(() => nearBackend.isPaused())
  tunnel.close(1001)
  timers.tick(1_000)
  timers.tick(1_000)
  assert.equal((await closed).reason, 'draining')
})

test('a frame that still moves is waited for', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t)
  const sent = frame(10, false)
  backend.write(sent.subarray(0, 4))
  await readBytes(client, 4)
  tunnel.close(1001)
  for (const byte of sent.subarray(4, -1)) {
    timers.tick(999)
    backend.write(Buffer.from([byte]))
    await readBytes(client, 1)
  }
  timers.tick(999)
  backend.write(sent.subarray(-1))
  assert.deepEqual(await readBytes(client, 5), Buffer.concat([sent.subarray(-1), GOING_AWAY]))
  tunnel.destroy('draining')
  await closed
})

test('a handshake that the client began ends with the answer of its backend', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  client.write(closeFrame(4001, { mask: true }))
  await readBytes(backend, 8)
  tunnel.close(1001)
  const answer = Buffer.concat([frame(5, false), closeFrame(4001, { mask: false })])
  backend.end(answer)
  client.end()
  assert.deepEqual(await readToEnd(client), answer)
  backend.resume()
  assert.equal((await closed).reason, 'draining')
})

test('a client whose backend does not answer its Close is sent a 1001', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t)
  client.write(closeFrame(1000, { mask: true }))
  await readBytes(backend, 8)
  tunnel.close(1001)
  timers.tick(1_000)
  assert.deepEqual(await readToEnd(client), GOING_AWAY)
  timers.tick(1_000)
  assert.equal((await closed).reason, 'draining')
})

test('a handshake that the backend began ends with the answer of its client', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  backend.write(closeFrame(1012, { mask: false }))
  await readBytes(client, 4)
  tunnel.close(1001)
  const answer = closeFrame(1012, { mask: true })
  client.write(answer)
  assert.deepEqual(await readBytes(backend, 8), answer)
  backend.end()
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  backend.resume()
  assert.equal((await closed).reason, 'draining')
})

test('after a header that no WebSocket knows, close sends FIN and no frame', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  backend.write('GARBAGE')
  await readBytes(client, 7)
  tunnel.close(1001)
  assert.equal((await readToEnd(client)).length, 0)
  client.end()
  backend.resume().end()
  assert.equal((await closed).reason, 'draining')
})

test('close of another protocol is FIN, first to the client', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t, { websocket: false })
  tunnel.close(1001)
  assert.equal((await readToEnd(client)).length, 0)
  client.end('last')
  assert.equal(String(await readToEnd(backend)), 'last')
  backend.end()
  assert.equal((await closed).reason, 'draining')
})

test('close of another protocol is bounded too', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, tunnel, closed } = await splice(t, { websocket: false })
  tunnel.close(1001)
  await readToEnd(client)
  timers.tick(1_000)
  await readToEnd(backend)
  timers.tick(1_000)
  assert.equal((await closed).reason, 'draining')
})

test('close after a FIN still tells the other side', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  client.end()
  await readToEnd(backend)
  tunnel.close(1001)
  assert.deepEqual(await readToEnd(client), GOING_AWAY)
  backend.end()
  await closed
})

test('a second close changes nothing', async (t) => {
  const { client, backend, tunnel, closed } = await splice(t)
  tunnel.close(1001)
  tunnel.close(1012)
  assert.deepEqual(await readBytes(client, 4), GOING_AWAY)
  client.end(closeFrame(1001, { mask: true }))
  backend.resume().end()
  assert.equal((await readToEnd(client)).length, 0)
  await closed
})

function socketOf(socket: WebSocket): Socket {
  const inner: unknown = Reflect.get(socket, '_socket')
  return inner as Socket
}
