// A load: each connection sends its next message when the last one came back.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { percentile } from '../statistics.ts'
import { readOptions } from './arguments.ts'

export interface WebSocketLoadOptions {
  readonly url: string
  readonly connections: number
  readonly messageBytes: number
  readonly seconds: number
}

export interface WebSocketLoadResult {
  readonly messages: number
  readonly seconds: number
  readonly p50Micros: number
  readonly p99Micros: number
  readonly errors: number
}

const { url, connections, messageBytes, seconds } = readOptions<WebSocketLoadOptions>()
const message = Buffer.alloc(messageBytes, 'x')
const micros: number[] = []
let errors = 0
let isOver = false

const sockets = await Promise.all(Array.from({ length: connections }, open))
process.stdout.write('open\n')
// The starter reads the proxy's CPU time now, and says when it has.
await once(process.stdin, 'data')
const startedMs = performance.now()
for (const socket of sockets) ask(socket)
setTimeout(report, seconds * 1000)

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.on('error', () => {
    if (!isOver) errors += 1
  })
  await once(socket, 'open')
  socket.on('close', () => {
    if (!isOver) errors += 1
  })
  return socket
}

function ask(socket: WebSocket): void {
  let sentMs = performance.now()
  socket.on('message', (data: Buffer) => {
    if (isOver) return
    const nowMs = performance.now()
    if (data.length !== messageBytes) errors += 1
    micros.push((nowMs - sentMs) * 1000)
    sentMs = nowMs
    socket.send(message)
  })
  socket.send(message)
}

function report(): void {
  isOver = true
  const took = (performance.now() - startedMs) / 1000
  const sorted = Float64Array.from(micros).sort()
  const result: WebSocketLoadResult = {
    messages: micros.length,
    seconds: took,
    p50Micros: percentile(sorted, 50),
    p99Micros: percentile(sorted, 99),
    errors,
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  for (const socket of sockets) socket.terminate()
  process.stdin.destroy()
}
