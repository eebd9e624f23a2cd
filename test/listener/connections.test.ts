import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHttp1Listener } from '../../src/listener/http1-listener.ts'
import { sendRequest } from '../helpers/http-client.ts'
import { waitFor } from '../helpers/wait.ts'
import { answer, collect, settingsWith, startListener, watch } from './listener-harness.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'
const END = 'Host: a.example\r\n\r\n'

test('a connection serves one request after another', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange, exchange.head.target) })
  const client = harness.client()
  for (const path of ['/1', '/2', '/3']) {
    const reply = await client.request({ path })
    assert.equal(String(reply.body), path)
    assert.ok(reply.kept)
  }
  assert.equal(harness.listener.connections, 1)
})

test('a request with a body that was read keeps its connection', async (t) => {
  const harness = await startListener(t, {
    exchange(exchange) {
      exchange.body?.start({ data() {}, end: () => answer(exchange), fail() {} })
    },
  })
  const client = harness.client()
  for (let i = 0; i < 3; i++) assert.ok((await client.request({ method: 'POST', path: '/', body: 'hello' })).kept)
})

test('a connection that is kept without a request is closed in time, without a word', async (t) => {
  const harness = await startListener(t, { timeouts: { keepAliveMs: 300 }, exchange: (exchange) => answer(exchange) })
  const client = harness.raw(GET)
  const response = await client.has('ok')
  const startedMs = performance.now()
  assert.equal(await client.rest(), response)
  assert.ok(performance.now() - startedMs < 2_000)
  assert.equal(harness.rejected.length, 0)
})

test('a request under way is not idle, however long it takes', async (t) => {
  const harness = await startListener(t, { timeouts: { keepAliveMs: 100, headerMs: 100, writeIdleMs: 100 } })
  const client = harness.raw(GET)
  answer(await harness.exchange(0))
  await client.has('ok')
  client.send(GET)
  const slow = await harness.exchange(1)
  const idle = harness.raw(GET)
  answer(await harness.exchange(2))
  await idle.rest()
  assert.equal(client.ended, false)
  answer(slow, 'late')
  await client.has('late')
})

test('no connection is kept where the time for it is 0', async (t) => {
  const harness = await startListener(t, { timeouts: { keepAliveMs: 0 }, exchange: (exchange) => answer(exchange) })
  assert.match(await harness.raw(GET).rest(), /\r\nConnection: close\r\n/)
})

test('new timeouts hold for what begins after them', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  harness.listener.apply(settingsWith({ timeouts: { keepAliveMs: 200, headerMs: 300 } }))
  await harness.raw(GET).rest()
  assert.match(await harness.raw('GET /').rest(), /^HTTP\/1\.1 408 /)
})

test('pipelined requests are handed on one after another and answered in order', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(Array.from({ length: 5 }, (_, i) => `GET /${i} HTTP/1.1\r\n${END}`).join(''))
  for (let i = 0; i < 5; i++) {
    const exchange = await harness.exchange(i)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    assert.equal(harness.exchanges.length, i + 1, 'the next one waits')
    answer(exchange, `<${exchange.head.target}>`)
  }
  const text = await client.has('</4>')
  assert.deepEqual(text.match(/<\/\d>/g), ['</0>', '</1>', '</2>', '</3>', '</4>'])
})

test('a body between pipelined requests is not taken for one of them', async (t) => {
  const harness = await startListener(t)
  const post = `POST /2 HTTP/1.1\r\nContent-Length: ${GET.length}\r\n${END}${GET}`
  const client = harness.raw(`GET /1 HTTP/1.1\r\n${END}${post}GET /3 HTTP/1.1\r\n${END}`)
  answer(await harness.exchange(0), '1')
  const exchange = await harness.exchange(1)
  const collected = collect(exchange)
  await waitFor(() => collected.over, { what: 'the end of the body' })
  assert.equal(String(collected.bytes), GET)
  answer(exchange, '2')
  assert.equal((await harness.exchange(2)).head.target, '/3')
  answer(await harness.exchange(2), 'three')
  await client.has('three')
})

test('a client that pipelines without end is not read on', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw()
  const batch = GET.repeat(100)
  client.send(batch)
  const first = await harness.exchange(0)
  for (let i = 0; i < 2000; i++) client.send(batch)
  await waitFor(() => client.socket.writableLength > 1024 * 1024, { what: 'the client to be held back' })
  assert.equal(harness.exchanges.length, 1)
  const told = watch(first.responder)
  client.socket.destroy()
  answer(first)
  await waitFor(() => told.length, { what: 'the end' })
})

test('of a thousand requests in one piece each is answered, and only one at a time is an exchange', async (t) => {
  let answered = 0
  const harness = await startListener(t, {
    async exchange(exchange) {
      await nextTurn()
      assert.equal(harness.exchanges.length, answered + 1)
      answer(exchange, `<${answered++}>`)
    },
  })
  const client = harness.raw(GET.repeat(1000))
  assert.equal((await client.has('<999>')).match(/<\d+>/g)?.length, 1000)
  assert.equal(harness.rejected.length, 0)
})

test('a bad request behind good ones is answered in its turn', async (t) => {
  for (const bad of [`GET / HTTP/1.1\r\nHost: a/b\r\n\r\n`, `BAD / HTTP/1.1\r\n${END}`]) {
    const harness = await startListener(t)
    const client = harness.raw(
      `GET /1 HTTP/1.1\r\n${END}GET /2 HTTP/1.1\r\n${END}${bad}GET /smuggled HTTP/1.1\r\n${END}`,
    )
    answer(await harness.exchange(0), 'one')
    answer(await harness.exchange(1), 'two')
    assert.match(await client.rest(), /one.*two.*HTTP\/1\.1 400 .*bad_request/s)
    assert.equal(harness.exchanges.length, 2)
    assert.equal(harness.rejected.length, 1)
  }
})

test('what follows a request that asked to close is not looked at', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`GET / HTTP/1.1\r\nConnection: close\r\n${END}`)
  const exchange = await harness.exchange(0)
  client.send(GET)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  answer(exchange)
  assert.match(await client.rest(), /^HTTP\/1\.1 200 .*ok$/s)
  assert.equal(harness.exchanges.length, 1)
  assert.equal(harness.rejected.length, 0)
})

test('a client that ends its side behind its requests gets all of its answers', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(`GET /1 HTTP/1.1\r\n${END}GET /2 HTTP/1.1\r\n${END}`)
  client.socket.end()
  answer(await harness.exchange(0), 'one')
  const exchange = await harness.exchange(1)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  const told = watch(exchange.responder)
  answer(exchange, 'two')
  assert.match(await client.rest(), /one.*two$/s)
  await waitFor(() => client.closed, { what: 'the end' })
  assert.deepEqual(told, ['finished'])
  assert.equal(client.errorCode, undefined)
})

test('a client that ended its side may read for as long as it reads', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(GET)
  client.socket.end()
  const { responder } = await harness.exchange(0)
  const told = watch(responder)
  responder.head({ status: 200, statusText: 'OK', headers: [] })
  const startedMs = performance.now()
  const timer = setInterval(() => {
    responder.write(Buffer.from('tick '))
    if (performance.now() - startedMs < 3_500) return
    clearInterval(timer)
    responder.end([])
  }, 200)
  t.after(() => clearInterval(timer))
  await waitFor(() => told[0], { what: 'the end' })
  assert.deepEqual(told, ['finished'])
})

test('a connection above the limit is answered 503, and the ones below it go on', async (t) => {
  const count = { open: 0 }
  const options = { limits: { connections: 2 }, count }
  const harness = await startListener(t, { ...options, exchange: (exchange) => answer(exchange) })
  const kept = [harness.client(), harness.client()]
  for (const client of kept) await client.request({ path: '/' })
  const refused = harness.raw(GET)
  const response = await refused.rest()
  assert.match(response, /^HTTP\/1\.1 503 .*\r\nX-Pyserve-Reason: over_capacity\r\n(.*\r\n)?Connection: close\r\n/s)
  assert.equal(harness.rejected.length, 1)
  assert.equal(harness.rejected[0]?.reason, 'over_capacity')
  for (const client of kept) assert.equal((await client.request({ path: '/' })).status, 200)
  kept[0]?.destroy()
  await waitFor(() => count.open === 1, { what: 'room' })
  assert.equal(refused.closed, false, 'one that was refused takes no room')
  assert.equal((await sendRequest({ port: harness.port }, { path: '/' })).status, 200)
})

test('listeners that share a count share the limit', async (t) => {
  const count = { open: 0 }
  const options = { limits: { connections: 1 }, count }
  const one = await startListener(t, { ...options, exchange: (exchange) => answer(exchange) })
  const other = await startListener(t, { ...options, exchange: (exchange) => answer(exchange) })
  const client = one.client()
  await client.request({ path: '/' })
  assert.match(await other.raw(GET).rest(), /^HTTP\/1\.1 503 /)
  client.destroy()
  await waitFor(() => count.open === 0, { what: 'room' })
  assert.match(await other.raw(GET).has('ok'), /^HTTP\/1\.1 200 /)
})

test('a listener on a busy port says so', async (t) => {
  const harness = await startListener(t)
  const handler = { exchange() {}, upgrade() {}, rejected() {} }
  const other = createHttp1Listener({ settings: settingsWith({}), handler })
  await assert.rejects(other.listen(harness.port), { code: 'EADDRINUSE' })
})
