import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import type { Target } from './http-client.ts'
import type { LoadClient } from './load.ts'

const MESSAGES_PER_CONNECTION = 200
const PATIENCE_MS = 20_000
const GOING_AWAY = 1001

export type WebSocketEnd = { readonly code: number; readonly why: string }

/** A WebSocket whose end is told once, whatever it was. */
export class WebSocketClient {
  readonly socket: WebSocket
  /** Resolves when it is closed; `why` is '' unless something went wrong. */
  readonly ended: Promise<WebSocketEnd>
  /** Undefined until it is connected. */
  localPort: number | undefined
  #message: ((data: Buffer) => void) | undefined

  constructor(target: Target, path: string, headers: Readonly<Record<string, string>> = {}) {
    const { host = '127.0.0.1', port, tls } = target
    const url = `${tls ? 'wss' : 'ws'}://${host}:${port}${path}`
    const createConnection = () => {
      const socket: Socket = tls ? connectTls({ host, port, ...tls }) : connectTcp({ host, port })
      return socket.once('connect', () => {
        this.localPort = socket.localPort
      })
    }
    this.socket = new WebSocket(url, { headers, handshakeTimeout: PATIENCE_MS, createConnection })
    this.socket.on('message', (data: Buffer) => this.#message?.(data))
    this.ended = new Promise((resolve) => {
      let why = ''
      this.socket.on('error', (error) => {
        why = error.message
      })
      this.socket.on('close', (code, reason) => resolve({ code, why: why || reason.toString() }))
    })
  }

  /** False where it could not be opened. */
  async opened(): Promise<boolean> {
    const open = new Promise<boolean>((resolve) => this.socket.once('open', () => resolve(true)))
    return Promise.race([open, this.ended.then(() => false)])
  }

  /** The next message, or undefined where the connection ended instead. */
  async ask(message: Buffer | string): Promise<Buffer | undefined> {
    const answer = new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no message for ${PATIENCE_MS} ms`)), PATIENCE_MS)
      this.#message = (data) => {
        clearTimeout(timer)
        resolve(data)
      }
      void this.ended.then(() => clearTimeout(timer))
    })
    this.socket.send(message)
    return Promise.race([answer, this.ended.then(() => undefined)])
  }
}

/** Opens, exchanges messages, closes, again and again. A Close 1001 is an end in order: the client comes back. */
export async function runWebSocketClient(client: LoadClient, index: number): Promise<void> {
  while (!client.isStopped()) {
    client.result.connections += 1
    const webSocket = new WebSocketClient(client.target, `${client.path}/${client.kind}-${index}`)
    const why = await runConversation(client, webSocket).catch((error: unknown) => (error as Error).message)
    if (why !== undefined) client.note('failed', why, webSocket.localPort)
    webSocket.socket.terminate()
    await delay(client.pauseMs)
  }
}

/** What went wrong, if anything did. */
async function runConversation(client: LoadClient, webSocket: WebSocketClient): Promise<string | undefined> {
  if (!(await webSocket.opened())) return `not opened: ${(await webSocket.ended).why}`
  for (let count = 0; count < MESSAGES_PER_CONNECTION && !client.isStopped(); count++) {
    const message = randomBytes(1 + Math.floor(Math.random() * 4096))
    if (webSocket.socket.readyState !== WebSocket.OPEN) break
    const answer = await webSocket.ask(message)
    if (answer === undefined) break
    if (!answer.equals(message)) return `sent ${message.length} bytes, got other ${answer.length}`
    client.result.requests += 1
    await delay(client.pauseMs)
  }
  if (webSocket.socket.readyState === WebSocket.OPEN) webSocket.socket.close(1000)
  const { code, why } = await webSocket.ended
  if (code === GOING_AWAY) client.result.goneAway += 1
  return code === 1000 || code === GOING_AWAY ? undefined : `closed with ${code} ${why}`
}
