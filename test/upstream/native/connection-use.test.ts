import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createNativeEngine } from '../../../src/upstream/native/native-engine.ts'
import type { RawConnection } from '../../helpers/raw-backend.ts'
import { ScriptedBody } from '../../helpers/scripted-body.ts'
import { answering, arrange, OK } from '../contract/setting.ts'

const SUBJECT = { name: 'native', createEngine: createNativeEngine }

test('the connection that became idle last is used first', async (t) => {
  const used: number[] = []
  const both = Promise.withResolvers<void>()
  const { send, fetch } = await arrange(t, SUBJECT, async (connection, index) => {
    for (;;) {
      const { line } = await connection.readHead()
      used.push(index)
      if (used.length === 2) both.resolve()
      await both.promise
      if (line.includes('/late')) await new Promise((resolve) => setTimeout(resolve, 50))
      connection.write(OK)
    }
  })
  const [early, late] = [send({ path: '/early' }), send({ path: '/late' })]
  await Promise.all([early.sink.over, late.sink.over])
  for (const _ of [1, 2, 3]) await fetch()
  const [lastReleased] = used.slice(2)
  assert.deepEqual(used.slice(2), [lastReleased, lastReleased, lastReleased])
  assert.equal(lastReleased, 1)
})

test('what follows a whole response closes the connection, and the response stands', async (t) => {
  const { fetch, raw } = await arrange(t, SUBJECT, answering(`${OK}EVIL`))
  assert.equal((await fetch()).text, 'ok')
  await raw.connections[0]?.gone()
})

test('bytes that nobody asked for close an idle connection at once', { timeout: 10_000 }, async (t) => {
  const asked = Promise.withResolvers<void>()
  const { fetch, raw } = await arrange(t, SUBJECT, async (connection) => {
    await connection.readHead()
    connection.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok')
    await asked.promise
    connection.write(OK)
  })
  await fetch()
  asked.resolve()
  await raw.connections[0]?.gone()
})

test('one dead connection is the end of those that are idle for longer', async (t) => {
  const both = Promise.withResolvers<void>()
  const { send, fetch, raw } = await arrange(t, SUBJECT, async (connection, index) => {
    await connection.readHead()
    if (index === 1) both.resolve()
    await both.promise
    connection.write(OK)
    await connection.readHead()
    if (index < 2) connection.socket.resetAndDestroy()
    else connection.write(OK)
  })
  await Promise.all([send().sink.over, send().sink.over])
  assert.equal((await fetch()).text, 'ok')
  await Promise.all(raw.connections.slice(0, 2).map((connection) => connection.gone()))
  assert.equal((await fetch({ method: 'POST' })).failure, undefined)
})

test('the connection of a large upload is kept', async (t) => {
  const count = 64
  const chunk = Buffer.alloc(65_536)
  const { fetch, raw } = await arrange(t, SUBJECT, async (connection) => {
    for (;;) {
      const { line } = await connection.readHead()
      for (let i = 0; line.startsWith('PUT') && i < count; i++) await connection.readBytes(chunk.length)
      connection.write(OK)
    }
  })
  const body = ScriptedBody.of(
    Array.from({ length: count }, () => chunk),
    count * chunk.length,
  )
  assert.equal((await fetch({ method: 'PUT', body })).text, 'ok')
  assert.equal((await fetch()).text, 'ok')
  assert.equal(raw.connections.length, 1)
})

test('a connection on which the last bytes of a body are stuck is not used again', async (t) => {
  const { fetch, raw } = await arrange(t, SUBJECT, async (connection, index) => {
    await connection.readHead()
    connection.write(OK)
    if (index === 0) await new Promise(() => {})
  })
  const body = Buffer.alloc(16_777_216)
  assert.equal((await fetch({ method: 'PUT', body: ScriptedBody.of([body], body.length) })).text, 'ok')
  assert.equal((await fetch()).text, 'ok')
  assert.equal(raw.connections.length, 2)
})

test('an empty piece of a chunked body does not end it', async (t) => {
  const received = Promise.withResolvers<string>()
  const { fetch } = await arrange(t, SUBJECT, async (connection) => {
    await connection.readHead()
    received.resolve((await connection.readChunked()).body.toString())
    connection.write(OK)
  })
  await fetch({ method: 'POST', body: ScriptedBody.of(['abc', '', 'def']) })
  assert.equal(await received.promise, 'abcdef')
})

for (const { name, create } of [
  { name: 'without a body', create: () => undefined },
  { name: 'with a small body', create: () => createReadyBody(3) },
  { name: 'with a small chunked body', create: () => createReadyBody(undefined) },
]) {
  test(`a request ${name} is one write`, async (t) => {
    const writes = countWrites(t)
    const { fetch } = await arrange(t, SUBJECT, readFramed)
    assert.equal((await fetch({ method: 'PUT', body: create() })).text, 'ok')
    const before = writes()
    assert.equal((await fetch({ method: 'PUT', body: create() })).text, 'ok')
    assert.equal(writes() - before, 1)
  })
}

test('small chunks that come together are told together', async (t) => {
  const chunks = Array.from({ length: 100 }, (_, i) => `1\r\n${i % 10}\r\n`).join('')
  const response = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
  const { fetch } = await arrange(t, SUBJECT, answering(response))
  const sink = await fetch()
  assert.equal(sink.text, '0123456789'.repeat(10))
  assert.equal(sink.chunks.length, 1)
})

/** A body that tells all it has as soon as it is started. */
function createReadyBody(lengthBytes: number | undefined): ScriptedBody {
  const body = new ScriptedBody(lengthBytes)
  const start = body.start.bind(body)
  body.start = (sink) => {
    start(sink)
    sink.data(Buffer.from('abc'))
    sink.end([])
  }
  return body
}

async function readFramed(connection: RawConnection): Promise<void> {
  for (;;) {
    const { headers } = await connection.readHead()
    if (headers.includes('Transfer-Encoding')) await connection.readChunked()
    else if (!headers.includes('0')) await connection.readBytes(3)
    connection.write(OK)
  }
}

/** Counts what sockets to backends hand to the system. */
function countWrites(t: TestContext): () => number {
  const counts: (() => number)[] = []
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    for (const method of ['_write', '_writev'] as const) {
      const { mock } = t.mock.method(socket, method as '_write')
      counts.push(() => mock.callCount())
    }
  }
  diagnostics.subscribe('net.client.socket', watch)
  t.after(() => diagnostics.unsubscribe('net.client.socket', watch))
  return () => counts.reduce((sum, count) => sum + count(), 0)
}
