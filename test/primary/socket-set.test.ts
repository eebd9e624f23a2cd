import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { ListenAddress } from '../../src/config/config.ts'
import { areSameSockets, bindSockets, closeSockets, type SocketSet } from '../../src/primary/socket-set.ts'

test('sockets that still fit are kept, a port 0 with the port it was given', async (t) => {
  const first = await bind(t, [listen(0), listen(0)])
  assert.notEqual(first[0]?.port, first[1]?.port)
  const second = await bind(t, [listen(0), listen(0)], first)
  assert.ok(areSameSockets(first, second))
  const third = await bind(t, [listen(0)], first)
  assert.ok(areSameSockets([first[0] ?? assert.fail()], third))
})

test('a busy address leaves nothing new bound', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.after(() => busy.close())
  const { port } = busy.address() as AddressInfo
  const probe = await bindSockets([listen(0)], [])
  const freePort = probe[0]?.port ?? assert.fail()
  closeSockets(probe)
  await assert.rejects(bindSockets([listen(freePort), listen(port)], []), /in use/)
  const server = createServer().listen(freePort, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

test('another address with the port that is being served is refused with what to do', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  // Stands for the daemon's own socket, on which its workers listen.
  const own = { host: '127.0.0.1', configuredPort: port, port, handle: { fd: -1, close() {} }, close() {} }
  await assert.rejects(
    bindSockets([{ ...listen(port), host: '0.0.0.0' }], [own]),
    new RegExp(
      `cannot listen on 0\\.0\\.0\\.0:${port} beside 127\\.0\\.0\\.1:${port}, which is being served: stop and start`,
    ),
  )
})

test('only the sockets that are no longer wanted are closed', () => {
  const closed: number[] = []
  const [kept, dropped] = [1, 2].map((port) => ({
    host: '127.0.0.1',
    configuredPort: port,
    port,
    handle: { fd: -1, close() {} },
    close: () => closed.push(port),
  }))
  assert.ok(kept && dropped)
  closeSockets([kept, dropped], [kept])
  assert.deepEqual(closed, [2])
})

async function bind(t: TestContext, addresses: ListenAddress[], existing: SocketSet = []): Promise<SocketSet> {
  const sockets = await bindSockets(addresses, existing)
  t.after(() => closeSockets(sockets))
  return sockets
}

function listen(port: number): ListenAddress {
  return { host: '127.0.0.1', port, tls: false, redirectToTlsPort: undefined }
}
