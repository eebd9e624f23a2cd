import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { openChannelToWorker } from '../../src/ipc/channel.ts'
import { type BoundSocket, bindSocket } from '../../src/primary/bound-socket.ts'

const WORKER = join(import.meta.dirname, 'fixtures', 'socket-worker.ts')
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
const limits = { timeout: 20_000 }

test('a port 0 is any free port, and it is known at once', async (t) => {
  const socket = await bind(t, '127.0.0.1', 0)
  assert.ok(socket.port > 0)
  assert.equal(socket.configuredPort, 0)
})

test('a worker serves on the socket that the primary bound', limits, async (t) => {
  const socket = await bind(t, '127.0.0.1', 0)
  const worker = await serve(t, socket)
  assert.equal(await ask(socket), String(worker.pid))
})

test('a name is resolved', limits, async (t) => {
  const socket = await bind(t, 'localhost', 0)
  const worker = await serve(t, socket)
  assert.equal(await ask(socket), String(worker.pid))
})

test('an IPv6 address is bound', { ...limits, skip: !hasIpv6 }, async (t) => {
  const socket = await bind(t, '::1', 0)
  const worker = await serve(t, socket)
  assert.equal(await ask(socket), String(worker.pid))
  await assert.rejects(bindSocket('::1', socket.port), /cannot listen on \[::1\]:\d+: the port is in use/)
})

test('while no worker lives connections wait for the next one instead of being refused', limits, async (t) => {
  const socket = await bind(t, '127.0.0.1', 0)
  const only = await serve(t, socket)
  only.kill('SIGKILL')
  await once(only, 'exit')
  const waiting = Array.from({ length: 5 }, () => connect(socket.port, socket.host))
  await Promise.all(waiting.map((client) => once(client, 'connect')))
  const next = await serve(t, socket)
  const answers = await Promise.all(waiting.map((client) => text(client)))
  assert.deepEqual(
    answers,
    answers.map(() => String(next.pid)),
  )
})

test('a port that another program listens on is refused at once, with that program named', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    await assert.rejects(bindSocket(host, port), (error: Error) => {
      const owner =
        process.platform === 'linux' ? `in use by .+ \\(pid ${process.pid}\\)$` : 'in use by another program$'
      assert.match(error.message, new RegExp(`^cannot listen on ${host}:${port}: the port is ${owner}`))
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'EADDRINUSE')
      return true
    })
  }
})

test(
  'of two sockets that were bound before either was served, the second is refused to its worker',
  limits,
  async (t) => {
    const first = await bind(t, '127.0.0.1', 0)
    const second = await bind(t, '127.0.0.1', first.port)
    await serve(t, first)
    await assert.rejects(serve(t, second), /EADDRINUSE/)
  },
)

test('a closed socket is free again', limits, async (t) => {
  const socket = await bindSocket('127.0.0.1', 0)
  const worker = await serve(t, socket)
  worker.kill('SIGKILL')
  await once(worker, 'exit')
  socket.close()
  const server = createServer().listen(socket.port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

test('an address that no interface has is refused by name', async () => {
  await assert.rejects(
    bindSocket('203.0.113.7', 8080),
    /^Error: cannot listen on 203\.0\.113\.7:8080: no interface of this machine has this address$/,
  )
})

test('a name that does not resolve is refused by name', async () => {
  await assert.rejects(bindSocket('no.such.host.invalid', 80), /no\.such\.host\.invalid:80: .* does not resolve$/)
})

test('a low port without permission is refused by name', { skip: process.getuid?.() !== 0 }, () => {
  const script = `import('${import.meta.dirname}/../../src/primary/bound-socket.ts')
    .then(({ bindSocket }) => { process.setuid(65534); return bindSocket('127.0.0.1', 81) })
    .catch((error) => console.log(error.message))`
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 10_000 })
  assert.match(stdout, /^cannot listen on 127\.0\.0\.1:81: no permission for this port/)
})

async function bind(t: TestContext, host: string, port: number): Promise<BoundSocket> {
  const socket = await bindSocket(host, port)
  t.after(() => socket.close())
  return socket
}

async function ask({ host, port }: BoundSocket): Promise<string> {
  return text(connect(port, host))
}

/** Starts a worker on the socket; rejects with what the worker says where it cannot serve. */
async function serve(t: TestContext, socket: BoundSocket): Promise<ChildProcess> {
  const child = fork(WORKER)
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await new Promise<void>((resolve, reject) => {
    const channel = openChannelToWorker(child, {
      message(message) {
        if (message.type === 'hello') channel.send({ type: 'listen', index: 0 }, socket.handle)
        else if (message.type === 'failed') reject(new Error(message.problem))
        else resolve()
      },
      closed: () => reject(new Error('the worker is gone')),
      failed: reject,
    })
  })
  return child
}
