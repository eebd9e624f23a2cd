import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { closeFrame } from '../../src/proxy/websocket-frames.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { fakeTimers } from './fake-timers.ts'
import { connectPair, open, readBytes, readToEnd, splice, until } from './tunnel-harness.ts'

/** Userland memory of one direction: a full writable buffer, a full readable buffer, a chunk on top of each. */
const IN_FLIGHT_BYTES = 4 * 64 * 1024
const FLOOD_BYTES = 32 * 1024 * 1024

const chunkLists = fc.array(
  fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 10 },
)

test('any bytes in any chunks pass unchanged, both ways at once', async (t) => {
  await fc.assert(
    fc.asyncProperty(chunkLists, chunkLists, fc.boolean(), async (up, down, websocket) => {
      const { client, backend, closed } = await splice(t, { websocket })
      for (const chunk of up) client.write(chunk)
      for (const chunk of down) backend.write(chunk)
      client.end()
      backend.end()
      const [atClient, atBackend] = await Promise.all([readToEnd(client), readToEnd(backend)])
      assert.deepEqual(atBackend, Buffer.concat(up))
      assert.deepEqual(atClient, Buffer.concat(down))
      assert.deepEqual(await closed, { reason: 'closed', bytesIn: atBackend.length, bytesOut: atClient.length })
    }),
    { numRuns: 60 },
  )
})

test('the bytes that came with the heads are the first to arrive, and counted', async (t) => {
  const { client, backend, closed } = await splice(t, {
    clientFirst: Buffer.from('client first, '),
    backendFirst: Buffer.from('backend first, '),
    websocket: false,
  })
  client.end('client second')
  backend.end('backend second')
  const [atClient, atBackend] = await Promise.all([readToEnd(client), readToEnd(backend)])
  assert.equal(String(atBackend), 'client first, client second')
  assert.equal(String(atClient), 'backend first, backend second')
  assert.deepEqual(await closed, { reason: 'closed', bytesIn: atBackend.length, bytesOut: atClient.length })
})

test('first bytes that fill a socket hold the other back until they left', async (t) => {
  const first = Buffer.alloc(FLOOD_BYTES, 'f')
  const { client, backend, nearBackend } = await splice(t, { backendFirst: first })
  backend.write('second')
  assert.equal(nearBackend.isPaused(), true)
  const all = await readBytes(client, first.length + 6)
  assert.equal(String(all.subarray(-6)), 'second')
})

for (const { name, deaf, loud } of [
  { name: 'a deaf client pauses its backend', deaf: 'client', loud: 'backend' },
  { name: 'a deaf backend pauses its client', deaf: 'backend', loud: 'client' },
] as const) {
  test(`${name}, costs bounded memory, and gets every byte once it listens`, async (t) => {
    const pair = await splice(t)
    const nearDeaf = deaf === 'client' ? pair.nearClient : pair.nearBackend
    const nearLoud = deaf === 'client' ? pair.nearBackend : pair.nearClient
    const sent = Buffer.alloc(FLOOD_BYTES, 'x')
    pair[loud].end(sent)
    let most = 0
    let turnsWithoutRead = 0
    let read = 0
    await until(() => {
      most = Math.max(most, nearDeaf.writableLength + nearLoud.readableLength)
      turnsWithoutRead = nearLoud.bytesRead === read ? turnsWithoutRead + 1 : 0
      read = nearLoud.bytesRead
      return nearLoud.isPaused() && turnsWithoutRead > 1_000
    })
    assert.ok(read < FLOOD_BYTES, `read all ${read} bytes for a deaf peer`)
    assert.ok(most <= IN_FLIGHT_BYTES, `${most} bytes in flight`)
    const received = await readToEnd(pair[deaf])
    assert.ok(received.equals(sent))
  })
}

for (const { name, first, last } of [
  { name: 'client', first: 'client', last: 'backend' },
  { name: 'backend', first: 'backend', last: 'client' },
] as const) {
  test(`a ${name} that half-closes is still answered`, async (t) => {
    const pair = await splice(t)
    pair[first].end('question')
    assert.equal(String(await readToEnd(pair[last])), 'question')
    pair[last].end('answer')
    assert.equal(String(await readToEnd(pair[first])), 'answer')
    const { reason } = await pair.closed
    assert.equal(reason, 'closed')
    assert.equal(pair.nearClient.destroyed && pair.nearBackend.destroyed, true)
  })
}

test('a socket that Node would close after a FIN stays open for the other direction', async (t) => {
  const { client, backend } = await splice(t, {}, (_, nearBackend) => {
    nearBackend.allowHalfOpen = false
  })
  backend.end()
  await readToEnd(client)
  client.end('answer')
  assert.equal(String(await readToEnd(backend)), 'answer')
})

test('after a FIN a peer that never closes holds the other for ten seconds, whatever it sends', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, nearClient, closed } = await splice(t)
  client.end()
  await readToEnd(backend)
  for (let second = 0; second < 9; second++) {
    timers.tick(1_000)
    backend.write('more')
    await readBytes(client, 4)
  }
  timers.tick(999)
  assert.equal(nearClient.destroyed, false)
  timers.tick(1)
  assert.equal((await closed).reason, 'closed')
})

test('after a FIN a peer that takes nothing holds the other for ten seconds', async (t) => {
  const timers = fakeTimers(t)
  const { backend, nearClient, nearBackend, closed } = await splice(t)
  backend.end(Buffer.alloc(16 * 1024 * 1024))
  await until(() => nearBackend.isPaused())
  nearBackend.destroy()
  await once(nearBackend, 'close')
  timers.tick(9_999)
  assert.equal(nearClient.destroyed, false)
  timers.tick(1)
  assert.equal((await closed).reason, 'backend_reset')
})

test('a timeout that HTTP left on a socket does not end the tunnel, and small frames do not wait', async (t) => {
  const setNoDelay = t.mock.fn()
  const { nearClient } = await splice(t, {}, (client, backend) => {
    client.setTimeout(5_000)
    for (const socket of [client, backend]) t.mock.method(socket, 'setNoDelay', setNoDelay)
  })
  assert.equal(nearClient.timeout, 0)
  assert.deepEqual(
    setNoDelay.mock.calls.map((call) => call.arguments),
    [[true], [true]],
  )
})

test('bytes, half-closes and Close frames pass over TLS too', async (t) => {
  const { client, backend, nearClient, nearBackend } = await spliceTls(t)
  const { tunnel, closed } = open({ client: nearClient, backend: nearBackend })
  const sent = Buffer.alloc(FLOOD_BYTES, 'x')
  client.write(Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 2, 0, 0, 0]), sent]))
  await until(() => nearClient.isPaused())
  assert.ok((await readBytes(backend, sent.length + 10)).subarray(10).equals(sent))
  tunnel.close(1001)
  assert.deepEqual(await readBytes(client, 4), closeFrame(1001, { mask: false }))
  const answer = closeFrame(1001, { mask: true })
  client.end(answer)
  assert.deepEqual(await readToEnd(backend), answer)
  backend.end(closeFrame(1001, { mask: false }))
  assert.equal((await readToEnd(client)).length, 0)
  assert.equal((await closed).reason, 'draining')
})

async function spliceTls(t: TestContext) {
  const { certPem, keyPem } = createCertificate({ names: ['localhost'] })
  const [clientTcp, nearClientTcp] = await connectPair(t)
  const [backendTcp, nearBackendTcp] = await connectPair(t)
  const server = { isServer: true, secureContext: createSecureContext({ cert: certPem, key: keyPem }) }
  const nearClient = new TLSSocket(nearClientTcp, server)
  const backend = new TLSSocket(backendTcp, server)
  const client = connectTls({ socket: clientTcp, ca: certPem })
  const nearBackend = connectTls({ socket: nearBackendTcp, ca: certPem })
  for (const socket of [client, backend]) socket.on('error', () => undefined)
  await Promise.all([once(client, 'secureConnect'), once(nearBackend, 'secureConnect')])
  return { client, backend, nearClient, nearBackend }
}
