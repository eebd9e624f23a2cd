import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startTcpBackend } from '../helpers/backends.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { readRssBytes } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const BODY_BYTES = 2 * 1024 ** 3
const WARM_UP_BYTES = 256 * 1024 ** 2
const STALL_MS = 1_000
const GROWTH_LIMIT_BYTES = 64 * 1024 ** 2

const block = Buffer.alloc(1 << 20, 'x')

for (const { name, serve, transfer } of [
  { name: 'upload to a backend', serve: receiveUpload, transfer: upload },
  { name: 'download by a client', serve: sendDownload, transfer: download },
]) {
  test(`a 2 GB ${name} that stalls takes no more memory than a small one`, async (t) => {
    const backend = await startTcpBackend(t, (socket) => void serve(socket))
    const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/', backend)], { workers: 1 }) })
    const [pid = 0] = await daemon.workerPids()
    const small = watchMemory(pid)
    assert.equal(await transfer(daemon.port, WARM_UP_BYTES), WARM_UP_BYTES)
    const smallPeakBytes = small.stop()
    const large = watchMemory(pid)
    const startedMs = performance.now()
    assert.equal(await transfer(daemon.port, BODY_BYTES), BODY_BYTES)
    const seconds = (performance.now() - startedMs) / 1_000
    const largePeakBytes = large.stop()
    t.diagnostic(`${seconds.toFixed(1)} s; at most ${toMegabytes(largePeakBytes)} MB resident`)
    t.diagnostic(`at most ${toMegabytes(smallPeakBytes)} MB for the ${toMegabytes(WARM_UP_BYTES)} MB before it`)
    assert.ok(largePeakBytes - smallPeakBytes < GROWTH_LIMIT_BYTES)
  })
}

/** Sends a body of this size; resolves to the number of bytes that the backend says it got. */
async function upload(port: number, bytes: number): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`)
  await writeBlocks(socket, bytes)
  const answer = Buffer.concat((await socket.toArray()) as Buffer[]).toString()
  return Number(/\r\n\r\n(\d+)$/.exec(answer)?.[1])
}

async function receiveUpload(socket: Socket): Promise<void> {
  const { length, rest } = await readHead(socket)
  let received = rest
  await delay(STALL_MS)
  while (received < length) {
    const chunk = socket.read() as Buffer | null
    if (chunk) received += chunk.length
    else await once(socket, 'readable')
  }
  socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${String(received).length}\r\n\r\n${received}`)
}

/** Asks for a body of this size; resolves to the number of bytes that came. */
async function download(port: number, bytes: number): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Bytes: ${bytes}\r\n\r\n`)
  const { rest } = await readHead(socket)
  await delay(STALL_MS)
  let received = rest
  for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length
  return received
}

async function sendDownload(socket: Socket): Promise<void> {
  const { head } = await readHead(socket)
  const bytes = Number(/^x-bytes: (\d+)/im.exec(head)?.[1])
  socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`)
  await writeBlocks(socket, bytes)
  socket.end()
}

async function writeBlocks(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= block.length) {
    if (!socket.write(left < block.length ? block.subarray(0, left) : block)) await once(socket, 'drain')
  }
}

/** Reads a head and leaves what follows it, but for `rest` bytes that came with it. */
async function readHead(socket: Socket): Promise<{ head: string; length: number; rest: number }> {
  let read = Buffer.alloc(0)
  for (;;) {
    const chunk = socket.read() as Buffer | null
    if (chunk) read = Buffer.concat([read, chunk])
    const end = read.indexOf('\r\n\r\n')
    if (end >= 0) {
      const head = read.subarray(0, end).toString('latin1')
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1])
      return { head, length, rest: read.length - end - 4 }
    }
    await once(socket, 'readable')
  }
}

/** Until `stop`, which returns the most that was resident at a time. */
function watchMemory(pid: number): { stop(): number } {
  let peakBytes = 0
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, readRssBytes(pid))
  }, 20)
  return {
    stop() {
      clearInterval(timer)
      return peakBytes
    },
  }
}

function toMegabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0)
}
