import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TunnelResult } from '../../src/proxy/tunnel.ts'
import { closeFrame } from '../../src/proxy/websocket-frames.ts'
import { fakeTimers } from './fake-timers.ts'
import { connectPair, open, readBytes, readToEnd, type SplicedPair, splice, until } from './tunnel-harness.ts'

const CYCLES = 1_000
const CYCLES_AT_ONCE = 20
const LISTENED = ['data', 'end', 'drain', 'error', 'close'] as const

for (const { gone, other, reason } of [
  { gone: 'client', other: 'backend', reason: 'client_gone' },
  { gone: 'backend', other: 'client', reason: 'backend_reset' },
] as const) {
  test(`a reset by the ${gone} is named, and the ${other} gets FIN`, async (t) => {
    const pair = await splice(t)
    pair[gone].write('last words')
    assert.equal(String(await readBytes(pair[other], 10)), 'last words')
    pair[gone].resetAndDestroy()
    await readToEnd(pair[other])
    pair[other].end()
    assert.equal((await pair.closed).reason, reason)
  })

  test(`${gone} bytes that were read before an error still reach the ${other}`, async (t) => {
    const pair = await splice(t)
    const sent = Buffer.alloc(16 * 1024 * 1024, 'x')
    const [near, nearOther] =
      gone === 'client' ? [pair.nearClient, pair.nearBackend] : [pair.nearBackend, pair.nearClient]
    pair[gone].write(sent)
    await until(() => near.isPaused())
    near.destroy(new Error('an error of the socket'))
    await until(() => near.closed)
    const waiting = nearOther.writableLength
    assert.ok(waiting > 0)
    const received = await readToEnd(pair[other])
    pair[other].end()
    const { bytesIn, bytesOut } = await pair.closed
    assert.equal(received.length, gone === 'client' ? bytesIn : bytesOut)
  })

  test(`an error of the ${gone}'s socket at any point ends the tunnel once`, async (t) => {
    const stages: ((pair: SplicedPair, near: Socket) => Promise<void> | void)[] = [
      () => undefined,
      async (pair) => void (await once(pair[other].end(), 'finish')),
      async (pair) => {
        pair[gone].end()
        await readToEnd(pair[other])
      },
      (pair) => pair.tunnel.close(1001),
      (pair) => pair.tunnel.destroy('draining'),
      async (_, near) => void (await once(near.destroy(), 'close')),
    ]
    for (const reach of stages) {
      const results: TunnelResult[] = []
      const pair = await splice(t, { onClose: (result) => results.push(result) })
      const near = gone === 'client' ? pair.nearClient : pair.nearBackend
      await reach(pair, near)
      near.destroy(new Error('an error of the socket'))
      pair[other].resume()
      pair[other].end()
      await until(() => results.length > 0)
      assert.equal(results.length, 1)
    }
  })

  test(`a ${gone} socket that is closed when handed over ends the tunnel, after it was returned`, async (t) => {
    const prepare = async (nearClient: Socket, nearBackend: Socket) => {
      const near = gone === 'client' ? nearClient : nearBackend
      await once(near.destroy(), 'close')
    }
    const results: TunnelResult[] = []
    const pair = await splice(t, { onClose: (result) => results.push(result) }, prepare)
    await readToEnd(pair[other])
    pair[other].end()
    await until(() => results.length > 0)
    assert.deepEqual(results, [{ reason, bytesIn: 0, bytesOut: 0 }])
  })

  test(`a ${gone} socket whose error is still to come when it is handed over does not throw`, async (t) => {
    const [client, nearClient] = await connectPair(t)
    const [backend, nearBackend] = await connectPair(t)
    for (const near of [nearClient, nearBackend]) near.removeAllListeners('error')
    const near = gone === 'client' ? nearClient : nearBackend
    near.destroy(new Error('an error of the socket'))
    const { closed } = open({ client: nearClient, backend: nearBackend, clientFirst: Buffer.from('x') })
    for (const far of [client, backend]) far.resume().end()
    assert.equal((await closed).reason, reason)
  })

  test(`a FIN of the ${gone} that was read before the handing over is passed on`, async (t) => {
    const [client, nearClient] = await connectPair(t)
    const [backend, nearBackend] = await connectPair(t)
    const near = gone === 'client' ? nearClient : nearBackend
    const far = { client, backend }
    far[gone].end()
    await once(near.resume(), 'end')
    const { closed } = open({ client: nearClient, backend: nearBackend })
    await readToEnd(far[other])
    far[other].end('answer')
    assert.equal(String(await readToEnd(far[gone])), 'answer')
    assert.equal((await closed).reason, 'closed')
  })
}

for (const { gone, other, reason } of [
  { gone: 'client', other: 'backend', reason: 'client_gone' },
  { gone: 'backend', other: 'client', reason: 'backend_reset' },
] as const) {
  test(`a ${other} that was held back for a ${gone} is read to its end when that is lost`, async (t) => {
    fakeTimers(t)
    const pair = await splice(t)
    const [nearGone, nearOther] =
      gone === 'client' ? [pair.nearClient, pair.nearBackend] : [pair.nearBackend, pair.nearClient]
    pair[other].end(Buffer.alloc(16 * 1024 * 1024))
    await until(() => nearOther.isPaused())
    nearGone.destroy()
    await readToEnd(pair[other])
    assert.equal((await pair.closed).reason, reason)
  })
}

test('a stream that does not destroy itself on an error is destroyed', async () => {
  const client = new Duplex({ autoDestroy: false, read: () => undefined, write: () => undefined })
  const [backend, nearBackend] = duplexPair()
  const { closed } = open({ client, backend: nearBackend })
  client.emit('error', new Error('an error of the stream'))
  backend.resume().end()
  assert.equal((await closed).reason, 'client_gone')
  assert.equal(client.destroyed, true)
})

test('a reset after both Close frames is an orderly end', async (t) => {
  const { client, backend, nearClient, closed } = await splice(t)
  client.write(closeFrame(1000, { mask: true }))
  await readBytes(backend, 8)
  backend.write(closeFrame(1000, { mask: false }))
  await readBytes(client, 4)
  client.resetAndDestroy()
  await until(() => nearClient.closed)
  backend.resume().end()
  assert.equal((await closed).reason, 'closed')
})

test('silence of both sides for the idle time ends the tunnel', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend, closed } = await splice(t, { idleMs: 5_000 })
  timers.tick(4_999)
  client.write('a')
  await readBytes(backend, 1)
  timers.tick(4_999)
  backend.write('b')
  await readBytes(client, 1)
  timers.tick(4_999)
  backend.write('c')
  await readBytes(client, 1)
  timers.tick(5_000)
  assert.deepEqual(await closed, { reason: 'idle_timeout', bytesIn: 1, bytesOut: 2 })
})

test('a slow peer that takes what waits for it is not idle', async (t) => {
  const timers = fakeTimers(t)
  const waiting = Buffer.alloc(32 * 1024 * 1024)
  const { client, nearClient, closed } = await splice(t, { idleMs: 5_000, backendFirst: waiting })
  timers.tick(4_999)
  await readBytes(client, waiting.length)
  await until(() => nearClient.writableLength === 0)
  timers.tick(4_999)
  assert.equal(nearClient.destroyed, false)
  timers.tick(1)
  assert.equal((await closed).reason, 'idle_timeout')
})

test('a tunnel without an idle time stays', async (t) => {
  const timers = fakeTimers(t)
  const { client, backend } = await splice(t, { idleMs: 0 })
  timers.tick(30 * 24 * 3_600_000)
  client.write('still here')
  assert.equal(String(await readBytes(backend, 10)), 'still here')
})

test('an idle time longer than a timer of Node can be does not end the tunnel at once', async (t) => {
  const warnings: unknown[] = []
  const note = (warning: unknown) => warnings.push(warning)
  process.on('warning', note)
  t.after(() => void process.off('warning', note))
  const { client, backend } = await splice(t, { idleMs: 2 ** 31 })
  for (let round = 0; round < 3; round++) {
    client.write('still here')
    await readBytes(backend, 10)
  }
  assert.deepEqual(warnings, [])
})

test('destroy cuts both at once, with the first reason only', async (t) => {
  const { tunnel, nearClient, nearBackend, closed } = await splice(t)
  tunnel.destroy('draining')
  assert.equal(nearClient.destroyed && nearBackend.destroyed, true)
  tunnel.destroy('idle_timeout')
  tunnel.close(1001)
  assert.equal((await closed).reason, 'draining')
  tunnel.destroy('idle_timeout')
  tunnel.close(1001)
})

test('a closed tunnel leaves no listener and no property on its sockets', async (t) => {
  const [client, nearClient] = await connectPair(t)
  const [backend, nearBackend] = await connectPair(t)
  const countListeners = () =>
    [nearClient, nearBackend].map((socket) => LISTENED.map((event) => socket.listenerCount(event)))
  const before = countListeners()
  const { closed } = open({ client: nearClient, backend: nearBackend, idleMs: 60_000 })
  client.resume().end()
  backend.resume().end()
  await closed
  assert.deepEqual(countListeners(), before)
  for (const socket of [nearClient, nearBackend]) {
    const ours = Object.getOwnPropertySymbols(socket).filter((symbol) => symbol.description === 'side of a tunnel')
    assert.deepEqual(
      ours.map((symbol) => Reflect.get(socket, symbol)),
      [undefined],
    )
  }
})

test('who keeps a closed tunnel does not keep its sockets', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const openAndClose = async () => {
    const [, client] = duplexPair()
    const [, backend] = duplexPair()
    const { tunnel, closed } = open({ client, backend })
    tunnel.destroy('draining')
    await closed
    return { tunnel, sockets: [new WeakRef(client), new WeakRef(backend)] }
  }
  const { tunnel, sockets } = await openAndClose()
  await until(() => {
    collectGarbage()
    return sockets.every((socket) => socket.deref() === undefined)
  })
  tunnel.close(1001)
})

test(`${CYCLES} tunnels, ended in every way, leave no descriptor and no timer behind`, async (t) => {
  const endings: ((pair: SplicedPair) => unknown)[] = [
    ({ client, backend }) => [client.resume().end(), backend.resume().end()],
    ({ client, backend }) => [client.resetAndDestroy(), backend.resume().end()],
    ({ client, backend }) => [client.resume().end(), backend.resetAndDestroy()],
    ({ client, backend }) => [client.write('half'), client.resetAndDestroy(), backend.destroy()],
    ({ tunnel }) => tunnel.destroy('draining'),
    ({ nearClient, backend }) => [nearClient.destroy(), backend.resume().end()],
    ({ nearClient, nearBackend }) => [nearClient.destroy(new Error('one')), nearBackend.destroy(new Error('other'))],
  ]
  const openAndClose = async (cycle: number) => {
    const pair = await splice(t, { idleMs: 60_000 })
    endings[cycle % endings.length]?.(pair)
    await pair.closed
    pair.client.destroy()
    pair.backend.destroy()
  }
  await openAndClose(0)
  const before = countHandles()
  for (let cycle = 0; cycle < CYCLES; cycle += CYCLES_AT_ONCE) {
    await Promise.all(Array.from({ length: CYCLES_AT_ONCE }, (_, i) => openAndClose(cycle + i)))
  }
  await until(() => countHandles() <= before)
})

/** Descriptors, sockets, servers and timers of this process. */
function countHandles(): number {
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  return descriptors + process.getActiveResourcesInfo().length
}
