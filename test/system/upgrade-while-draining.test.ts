import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { assertDone, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { listPeerPorts } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const CONNECTIONS = 8
const PATIENCE_MS = 10_000
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9])
/** The same from a client, with a mask of zeros. */
const GOING_AWAY_ANSWER = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])
const FIELDS = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13'

test('a WebSocket that is asked for while its worker drains is opened and then told to go away', async (t) => {
  const closes: number[] = []
  const backend = await startEcho(t, {
    onWebSocket: (webSocket) => webSocket.on('close', (code) => closes.push(code)),
  })
  const timeouts = { drain: '10s', websocket_drain: '1s' }
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/', backend)], { timeouts }) })
  const sockets = Array.from({ length: CONNECTIONS }, () => connect({ host: '127.0.0.1', port: daemon.port }))
  t.after(() => sockets.map((socket) => socket.destroy()))
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: a\r\n')
  const old = await waitForAll(daemon, sockets)

  assertDone(await daemon.cli('restart'))
  assert.ok((await daemon.workerPids()).every((pid) => !old.includes(pid)))
  for (const socket of sockets) socket.write(`${FIELDS}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
  for (const answer of await Promise.all(sockets.map(readAnswer))) {
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /)
    assert.deepEqual(answer.subarray(answer.indexOf('\r\n\r\n') + 4), GOING_AWAY)
  }
  await waitFor(() => closes.length === CONNECTIONS, { what: 'the end of every tunnel at the backend' })
  assert.deepEqual(new Set(closes), new Set([1001]))
})

/** All that comes on a connection whose Close is answered. */
async function readAnswer(socket: Socket): Promise<Buffer> {
  let answer = Buffer.alloc(0)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('nothing came')))
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    answer = Buffer.concat([answer, chunk])
    if (answer.subarray(-GOING_AWAY.length).equals(GOING_AWAY)) socket.write(GOING_AWAY_ANSWER)
  }
  return answer
}

/** Resolves to the pids of the workers when they have accepted every connection. */
async function waitForAll(daemon: Daemon, sockets: readonly Socket[]): Promise<readonly number[]> {
  await Promise.all(sockets.filter(({ connecting }) => connecting).map((socket) => once(socket, 'connect')))
  const pids = await daemon.workerPids()
  const areAccepted = () => {
    const accepted = new Set(pids.flatMap((pid) => [...listPeerPorts(pid, daemon.port)]))
    return sockets.every(({ localPort }) => localPort !== undefined && accepted.has(localPort))
  }
  await waitFor(areAccepted, { what: 'the workers to have every connection' })
  return pids
}
