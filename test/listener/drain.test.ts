import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { answer, type Harness, startListener, watch } from './listener-harness.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'

test('a listener without connections is drained at once and accepts nothing more', async (t) => {
  const { listener, port } = await startListener(t)
  await listener.drain(10_000)
  const socket = connect(port, '127.0.0.1')
  let code: string | undefined
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code
  })
  await waitFor(() => code === 'ECONNREFUSED', { what: 'a refusal' })
})

test('a kept connection is answered once more, and told that it closes', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  const client = harness.client()
  assert.ok((await client.request({ path: '/' })).kept)
  const drained = track(harness, 10_000)
  const reply = await client.request({ path: '/' })
  assert.equal(reply.status, 200)
  assert.equal(reply.kept, false)
  client.destroy()
  await drained.over()
})

test('a request under way is finished, however long it takes, and told that its connection closes', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(GET)
  const exchange = await harness.exchange(0)
  const told = watch(exchange.responder)
  const idle = harness.raw()
  await waitFor(() => harness.listener.connections === 2, { what: 'the connections' })
  const drained = track(harness, 0)
  await idle.rest()
  assert.equal(drained.isOver, false)
  answer(exchange, 'late')
  assert.match(await client.rest(), /\r\nConnection: close\r\n.*late$/s)
  assert.deepEqual(told, ['finished'])
  client.socket.end()
  await drained.over()
})

for (const { when, graceMs } of [
  { when: 'within the grace', graceMs: 300 },
  { when: 'after the grace', graceMs: 0 },
]) {
  test(`a response that began before the drain is finished ${when}, and its connection closes then`, async (t) => {
    const harness = await startListener(t)
    const client = harness.client()
    client.socket.write(GET)
    const { responder } = await harness.exchange(0)
    responder.head({ status: 200, statusText: 'OK', headers: ['Content-Length', '10'] })
    responder.write(Buffer.from('hello'))
    const idle = harness.raw()
    await waitFor(() => harness.listener.connections === 2, { what: 'the connections' })
    const drained = track(harness, graceMs)
    if (graceMs === 0) await idle.rest()
    responder.write(Buffer.from('world'))
    responder.end([])
    assert.equal(String((await client.readReply('GET')).body), 'helloworld')
    await drained.over()
  })
}

test('pipelined requests that were read already are all answered', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(GET.repeat(3))
  const first = await harness.exchange(0)
  const drained = track(harness, 10_000)
  answer(first)
  answer(await harness.exchange(1))
  answer(await harness.exchange(2))
  const text = await client.rest()
  assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 3)
  assert.equal(text.match(/Connection: close/g)?.length, 1)
  client.socket.end()
  await drained.over()
})

test('idle connections stay until the grace is over, and are then closed', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  const kept = harness.raw(GET)
  await kept.has('ok')
  const silent = harness.raw()
  await waitFor(() => harness.listener.connections === 2, { what: 'the connections' })
  const startedMs = performance.now()
  const drained = track(harness, 400)
  await drained.over()
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs >= 390 && tookMs < 5_000, `${tookMs} ms`)
  await kept.rest()
  assert.equal(await silent.rest(), '')
})

test('a head that is on its way when the grace ends is still answered', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  const fresh = harness.raw('GET / HTTP/1.1\r\n')
  const kept = harness.raw(GET)
  await kept.has('ok')
  kept.send('GET /again HTTP/1.1\r\n')
  const idle = harness.raw(GET)
  await idle.has('ok')
  await waitFor(() => harness.listener.connections === 3, { what: 'the connections' })
  const drained = track(harness, 300)
  await idle.rest()
  for (const client of [fresh, kept]) {
    client.received = ''
    client.send('Host: a.example\r\n\r\n')
    assert.match(await client.rest(), /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/s)
    client.socket.end()
  }
  await drained.over()
})

test('a head that never ends does not hold up the drain for longer than heads may take', async (t) => {
  const harness = await startListener(t, { timeouts: { headerMs: 300 } })
  const client = harness.raw('GET / HTTP/1.1\r\n')
  await waitFor(() => harness.listener.connections === 1, { what: 'the connection' })
  const drained = track(harness, 0)
  assert.match(await client.rest(), /^HTTP\/1\.1 408 /)
  client.socket.end()
  await drained.over()
})

test('to destroy a listener cuts everything', async (t) => {
  const harness = await startListener(t)
  const clients = [harness.raw(GET), harness.raw('GET /'), harness.raw()]
  const told = watch((await harness.exchange(0)).responder)
  await waitFor(() => harness.listener.connections === 3, { what: 'the connections' })
  const drained = track(harness, 10_000)
  harness.listener.destroy()
  await drained.over()
  for (const client of clients) await client.rest()
  assert.deepEqual(told, ['gone draining'])
  assert.equal(harness.listener.connections, 0)
})

function track({ listener }: Harness, graceMs: number) {
  const drained = {
    isOver: false,
    over: () => waitFor(() => drained.isOver, { what: 'the end of the drain' }),
  }
  void listener.drain(graceMs).then(() => {
    drained.isOver = true
  })
  return drained
}
