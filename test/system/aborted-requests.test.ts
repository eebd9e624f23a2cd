import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startEcho, startFaulty, startHttpBackend } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho } from '../helpers/echo-client.ts'
import { countFds } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const CYCLES = 1_200
const CLIENTS = 24

const block = Buffer.alloc(100_000, 'x')

/** The stages at which a client can go. */
const ABORTS: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.write('GET /echo HTTP/1.1\r\nHo'),
  (socket) => socket.write('GET /silent HTTP/1.1\r\nHost: a\r\n\r\n'),
  (socket) => socket.write('GET /stalls HTTP/1.1\r\nHost: a\r\n\r\n'),
  (socket) => socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n'),
  (socket) => {
    socket.resume()
    socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
  },
  (socket) => {
    socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n')
    socket.write(block)
  },
  (socket) => {
    socket.write('POST /silent HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n')
    socket.write(block)
  },
  (socket) => socket.write('GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /silent HTTP/1.1\r\nHost: a\r\n\r\n'),
]

test(`${CYCLES} requests whose client goes at every stage are let go of at the backend too`, async (t) => {
  const echo = await startEcho(t)
  const silent = await startFaulty(t, 'silent')
  const stalls = await startFaulty(t, 'stalls in the body')
  const endless = await startHttpBackend(t, (_request, response) => {
    const fill = () => {
      while (!response.destroyed && response.write(block));
    }
    response.on('drain', fill)
    fill()
  })
  const routes = Object.entries({ echo, silent, stalls, endless }).map(([name, backend]) =>
    routeTo(`/${name}`, backend),
  )
  const daemon = await startDaemon(t, { config: proxyConfig(routes) })
  const pids = await daemon.workerPids()
  const fds = () => pids.map(countFds)
  await Promise.all(Array.from({ length: CLIENTS }, () => fetchEcho({ port: daemon.port }, { path: '/echo' })))
  await waitForQuiet(daemon)
  const before = fds()

  let begun = 0
  const runClient = async () => {
    while (begun < CYCLES) await runCycle(daemon.port, begun++)
  }
  await Promise.all(Array.from({ length: CLIENTS }, runClient))

  await waitForQuiet(daemon)
  const unfinished = { silent, stalls, endless }
  for (const [name, { connections }] of Object.entries(unfinished)) {
    await waitFor(() => connections.size === 0, { what: `the backend ${name} to be let go of` })
  }
  // Kept connections to the echo backend are no leak.
  const kept = echo.connections.size
  await waitFor(() => sum(fds()) <= sum(before) + kept, { what: `no more than ${before} file descriptors` })
  t.diagnostic(`file descriptors: ${before} before, ${fds()} after, of which ${kept} are kept connections`)
  assert.equal((await fetchEcho({ port: daemon.port }, { path: '/echo/a' })).target, '/a')
  assert.deepEqual(await daemon.workerPids(), pids)
})

async function runCycle(port: number, index: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  ABORTS[index % ABORTS.length]?.(socket)
  await delay(Math.random() * 10)
  if (index % 3 === 0) socket.resetAndDestroy()
  else socket.destroy()
}

async function waitForQuiet(daemon: Daemon): Promise<void> {
  const isQuiet = async () => {
    const { workers } = await daemon.status()
    return workers.every(({ stats }) => stats && stats.connections + stats.inFlight === 0)
  }
  await waitFor(isQuiet, { what: 'the workers to have nothing open', everyMs: 100, timeoutMs: 20_000 })
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
