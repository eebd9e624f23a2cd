import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startEcho, startFaulty } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { countFds, readRssBytes } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const CYCLES = 5_000
const WARM_UP_CYCLES = 2_000
const CLIENTS = 32
// A tunnel that stayed would cost 20 KB or more: 100 MB for all of them.
const MEMORY_LIMIT_BYTES = 24 * 1024 ** 2
// By default V8 lets garbage pile up for longer than this test lasts: what is resident would tell little of what is in use.
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=32 --max-semi-space-size=1' }

const FIELDS = [
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

/** The stages at which a client can go. */
const ABORTS: readonly ((socket: Socket) => Promise<void>)[] = [
  async function beforeTheRequestIsComplete(socket) {
    socket.write(`GET /echo HTTP/1.1\r\n${FIELDS.slice(0, 60)}`)
    await leave(socket)
  },
  async function beforeTheAnswer(socket) {
    socket.write(`GET /never HTTP/1.1\r\n${FIELDS}\r\n\r\n`)
    await leave(socket)
  },
  async function whileTheAnswerIsUnderWay(socket) {
    socket.write(`GET /echo HTTP/1.1\r\n${FIELDS}\r\n\r\n`)
    await leave(socket)
  },
  async function withTheAnswer(socket) {
    await open(socket)
    socket.resetAndDestroy()
  },
  async function inTheMiddleOfAFrame(socket) {
    await open(socket)
    socket.write(maskedFrame(0x82, randomBytes(100)).subarray(0, 50))
    await leave(socket)
  },
  async function byFinAlone(socket) {
    await open(socket)
    socket.end()
    socket.resume()
    await once(socket, 'close')
  },
]

test(`${CYCLES} WebSockets, half of them aborted at each stage, leave nothing behind`, async (t) => {
  const backend = await startEcho(t)
  const silent = await startFaulty(t, 'silent')
  const config = proxyConfig([routeTo('/echo', backend), routeTo('/never', silent)])
  const daemon = await startDaemon(t, { config, env: SMALL_HEAP })
  const pids = await daemon.workerPids()
  const sum = (read: (pid: number) => number) => pids.reduce((total, pid) => total + read(pid), 0)

  const startFds = sum(countFds)
  await runCycles(daemon.port, WARM_UP_CYCLES)
  await waitForQuiet(daemon)
  const startBytes = sum(readRssBytes)

  const startedMs = performance.now()
  await runCycles(daemon.port, CYCLES)
  const seconds = (performance.now() - startedMs) / 1_000
  await waitForQuiet(daemon)
  await waitFor(() => sum(countFds) <= startFds, { what: `the ${startFds} file descriptors of the start` })
  const grownBytes = sum(readRssBytes) - startBytes
  t.diagnostic(
    `${CYCLES} cycles in ${seconds.toFixed(1)} s; file descriptors ${startFds} before, ${sum(countFds)} after`,
  )
  t.diagnostic(`both workers: ${toMegabytes(startBytes)} MB before, ${toMegabytes(grownBytes)} MB more after`)
  assert.ok(grownBytes < MEMORY_LIMIT_BYTES, `${grownBytes} bytes more`)
  await waitFor(() => backend.connections.size + silent.connections.size === 0, { what: 'the backends to be left' })
  assert.deepEqual(await daemon.workerPids(), pids)
})

async function runCycles(port: number, count: number): Promise<void> {
  let begun = 0
  const runClient = async () => {
    while (begun < count) await runCycle(port, begun++)
  }
  await Promise.all(Array.from({ length: CLIENTS }, runClient))
}

async function runCycle(port: number, index: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const abort = index % 2 === 0 ? undefined : ABORTS[((index - 1) / 2) % ABORTS.length]
  await (abort ?? closeInOrder)(socket)
  socket.destroy()
}

async function closeInOrder(socket: Socket): Promise<void> {
  await open(socket)
  const message = randomBytes(100)
  socket.write(maskedFrame(0x82, message))
  assert.deepEqual((await readAtLeast(socket, 102)).subarray(2), message)
  socket.write(maskedFrame(0x88, Buffer.from([0x03, 0xe8])))
  assert.deepEqual(await readAtLeast(socket, 4), Buffer.from([0x88, 0x02, 0x03, 0xe8]))
  socket.end()
  socket.resume()
  await once(socket, 'close')
}

async function open(socket: Socket): Promise<void> {
  socket.write(`GET /echo HTTP/1.1\r\n${FIELDS}\r\n\r\n`)
  let head = ''
  while (!head.endsWith('\r\n\r\n')) head += (await readAtLeast(socket, 1)).toString('latin1')
  assert.match(head, /^HTTP\/1\.1 101 /)
}

/** Resolves to all that is there once it is enough. */
async function readAtLeast(socket: Socket, bytes: number): Promise<Buffer> {
  let read = Buffer.alloc(0)
  for (;;) {
    const chunk = socket.read() as Buffer | null
    if (chunk) read = Buffer.concat([read, chunk])
    if (read.length >= bytes) return read
    if (socket.readableEnded || socket.destroyed) throw new Error(`the connection ended after ${read.length} bytes`)
    const controller = new AbortController()
    const events = ['readable', 'close'].map((event) => once(socket, event, { signal: controller.signal }))
    await Promise.race(events)
    for (const event of events) event.catch(() => undefined)
    controller.abort()
  }
}

/** Goes with a FIN or a RST, at some moment while the proxy is at work on what came before. */
async function leave(socket: Socket): Promise<void> {
  await delay(Math.random() * 4)
  if (Math.random() < 0.5) socket.destroy()
  else socket.resetAndDestroy()
}

async function waitForQuiet(daemon: Daemon): Promise<void> {
  const isQuiet = async () => {
    const { workers } = await daemon.status()
    return workers.every(({ stats }) => stats && stats.connections + stats.tunnels + stats.inFlight === 0)
  }
  await waitFor(isQuiet, { what: 'the workers to have nothing open', everyMs: 100, timeoutMs: 20_000 })
}

/** RFC 6455 §5.2, for payloads shorter than 126 bytes. */
function maskedFrame(first: number, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, masked])
}

function toMegabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1)
}
