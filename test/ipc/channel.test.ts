import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type Channel, type NativeHandle, openChannelToWorker } from '../../src/ipc/channel.ts'
import type { ToPrimary, ToWorker } from '../../src/ipc/protocol.ts'

const WORKER = join(import.meta.dirname, 'fixtures', 'channel-worker.ts')

interface Peer {
  readonly child: ChildProcess
  readonly channel: Channel<ToWorker>
  /** Emits each message by its type, then `closed`, `failed`. */
  readonly events: EventEmitter
}

async function startPeer(t: TestContext): Promise<Peer> {
  const child = fork(WORKER)
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const events = new EventEmitter()
  const channel = openChannelToWorker(child, {
    message: (message: ToPrimary) => events.emit(message.type, message),
    closed: () => events.emit('closed'),
    failed: (error) => events.emit('not understood', error),
  })
  await once(events, 'hello')
  return { child, channel, events }
}

test('a listening socket crosses to the worker, which serves on it', { timeout: 20_000 }, async (t) => {
  const { child, channel, events } = await startPeer(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ready = once(events, 'ready')
  channel.send({ type: 'listen', index: 7 }, handleOf(server))
  assert.deepEqual((await ready)[0], { type: 'ready', version: 7 })
  server.close()
  assert.equal(await text(connect(port, '127.0.0.1')), `pid ${child.pid}`)
})

test('what is not of the protocol is reported and not delivered', { timeout: 20_000 }, async (t) => {
  const { child, channel, events } = await startPeer(t)
  const first = once(events, 'not understood')
  channel.send({ type: 'discard', version: 1 })
  assert.match((await first)[0].message, /not a message of the protocol: \{"type":"nonsense"\}/)
  const second = once(events, 'not understood')
  channel.send({ type: 'reopen_logs' })
  assert.match((await second)[0].message, /"text"/)
  const answer = once(events, 'failed')
  child.send({ type: 'toString' })
  assert.match((await answer)[0].problem, /not a message of the protocol: \{"type":"toString"\}/)
})

test('a worker that waits for flushed loses nothing by exiting', { timeout: 20_000 }, async (t) => {
  const { channel, events } = await startPeer(t)
  const last = once(events, 'failed')
  channel.send({ type: 'drain', httpMs: 0, idleMs: 0, websocketMs: 0 })
  assert.equal((await last)[0].problem.length, 1_000_000)
})

test('sending on a closed channel is silent, and flushed does not wait', { timeout: 20_000 }, async (t) => {
  const { channel, events } = await startPeer(t)
  const failures: unknown[] = []
  events.on('not understood', (error) => failures.push(error))
  const closed = once(events, 'closed')
  channel.send({ type: 'commit', version: 1 })
  await closed
  channel.send({ type: 'reopen_logs' })
  channel.close()
  await channel.flushed()
  assert.deepEqual(failures, [])
})

test('sending to a worker that was just killed does not throw', { timeout: 20_000 }, async (t) => {
  const { child, channel, events } = await startPeer(t)
  const closed = once(events, 'closed')
  child.kill('SIGKILL')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  for (let i = 0; i < 50; i += 1) channel.send({ type: 'listen', index: i }, handleOf(server))
  await closed
  await channel.flushed()
})

function handleOf(server: Server): NativeHandle {
  return (server as unknown as { readonly _handle: NativeHandle })._handle
}
