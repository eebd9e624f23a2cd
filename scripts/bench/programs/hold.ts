// A load: opens connections, uses each once, and holds them without traffic until it is ended.
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { readOptions } from './arguments.ts'

/** Opened at the same time, so that the backend needs few connections for the first requests. */
const PARALLEL = 32

export interface HoldOptions {
  readonly kind: 'keep-alive' | 'websocket'
  readonly port: number
  readonly count: number
}

/** Printed when all that could be opened is open. */
export interface HoldResult {
  readonly held: number
  readonly failed: number
}

const { kind, port, count } = readOptions<HoldOptions>()
const open = kind === 'websocket' ? openWebSocket : openKeepAlive
const result = { held: 0, failed: 0 }
let left = count

await Promise.all(Array.from({ length: PARALLEL }, openInTurn))
process.stdout.write(`${JSON.stringify(result satisfies HoldResult)}\n`)

async function openInTurn(): Promise<void> {
  while (left-- > 0) {
    const isOpen = await open().then(
      () => true,
      () => false,
    )
    result[isOpen ? 'held' : 'failed'] += 1
  }
}

async function openWebSocket(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false })
  socket.on('error', () => undefined)
  await once(socket, 'open')
}

async function openKeepAlive(): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  // The answer is a JSON text in one piece or more; nothing follows its last brace.
  for (let isWhole = false; !isWhole; ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    isWhole = chunk.at(-1) === 0x7d
  }
}
