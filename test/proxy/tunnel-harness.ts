import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { createTunnel, type Tunnel, type TunnelOptions, type TunnelResult } from '../../src/proxy/tunnel.ts'

export type Open = (options: TunnelOptions) => Tunnel

export interface SplicedPair {
  /** The far ends: what a client and a backend hold. */
  readonly client: Socket
  readonly backend: Socket
  /** The ends that the tunnel holds. */
  readonly nearClient: Socket
  readonly nearBackend: Socket
  readonly tunnel: Tunnel
  readonly closed: Promise<TunnelResult>
}

/** Two TCP connections, spliced. `prepare` gets the near ends before the tunnel does. */
export async function splice(
  t: TestContext,
  options: Partial<TunnelOptions> = {},
  prepare: (nearClient: Socket, nearBackend: Socket) => Promise<void> | void = ignore,
): Promise<SplicedPair> {
  const [client, nearClient] = await connectPair(t)
  const [backend, nearBackend] = await connectPair(t)
  await prepare(nearClient, nearBackend)
  return { client, backend, nearClient, nearBackend, ...open({ client: nearClient, backend: nearBackend, ...options }) }
}

/** Creates a tunnel and holds its result. */
export function open(
  options: Partial<TunnelOptions> & Pick<TunnelOptions, 'client' | 'backend'>,
  openTunnel: Open = createTunnel,
): { readonly tunnel: Tunnel; readonly closed: Promise<TunnelResult> } {
  const { promise: closed, resolve } = Promise.withResolvers<TunnelResult>()
  const tunnel = openTunnel({
    clientFirst: Buffer.alloc(0),
    backendFirst: Buffer.alloc(0),
    idleMs: 0,
    websocket: true,
    onClose: resolve,
    ...options,
  })
  return { tunnel, closed }
}

/** Both ends of one loopback connection. */
export async function connectPair(t: TestContext): Promise<[far: Socket, near: Socket]> {
  const server = createTcpServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const far = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
  const [near] = (await accepted) as [Socket]
  await (far.connecting ? once(far, 'connect') : undefined)
  server.close()
  for (const socket of [far, near]) {
    // What an end meets when the tunnel cuts it is no matter of the test.
    socket.on('error', ignore)
    t.after(() => void socket.destroy())
  }
  return [far, near]
}

export interface SplicedWebSockets {
  readonly client: WebSocket
  /** The backend's end. */
  readonly backend: WebSocket
  readonly tunnel: Tunnel
  readonly closed: Promise<TunnelResult>
}

export interface WebSocketSetup {
  readonly client?: ClientOptions
  readonly backend?: ServerOptions
  readonly open?: Open
  /** Gets the ends before anything happens on them. */
  onClient?(client: WebSocket): void
  onBackend?(backend: WebSocket): void
}

/** A `ws` client and a `ws` server with a tunnel between them, made from real upgrades on `node:http`. */
export async function spliceWebSockets(t: TestContext, setup: WebSocketSetup = {}): Promise<SplicedWebSockets> {
  const { port, backends } = await startBackend(t, setup.backend)
  backends.on('connection', (backend) => setup.onBackend?.(backend))
  const front = createServer().listen(0, '127.0.0.1')
  t.after(() => void front.close())
  await once(front, 'listening')
  const tunnels = Promise.withResolvers<{ tunnel: Tunnel; closed: Promise<TunnelResult> }>()
  front.once('upgrade', ({ headers, url }, clientSocket: Socket, clientFirst: Buffer) => {
    const outgoing = request({ port, host: '127.0.0.1', path: url ?? '/', headers }).end()
    outgoing.once('upgrade', (response, backendSocket: Socket, backendFirst: Buffer) => {
      clientSocket.write(upgradeHead(response.rawHeaders))
      const sockets = { client: clientSocket, backend: backendSocket, clientFirst, backendFirst }
      tunnels.resolve(open(sockets, setup.open))
    })
  })
  const connected = once(backends, 'connection')
  const client = new WebSocket(`ws://127.0.0.1:${portOf(front)}/`, setup.client)
  setup.onClient?.(client)
  t.after(() => void client.terminate())
  const [[backend]] = (await Promise.all([connected, once(client, 'open')])) as [[WebSocket], unknown]
  return { client, backend, ...(await tunnels.promise) }
}

/** What a socket still gives until its FIN, which may have come already. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
  if (!socket.readableEnded) await once(socket, 'end')
  return Buffer.concat(chunks)
}

/** Resolves when the socket gave so many bytes, with all that came by then. */
export function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let read = 0
  const take = (chunk: Buffer) => {
    chunks.push(chunk)
    read += chunk.length
    if (read < count) return
    socket.off('data', take)
    socket.pause()
    resolve(Buffer.concat(chunks))
  }
  socket.on('data', take)
  socket.resume()
  return promise
}

/** Resolves once the condition holds; looks at it again on every turn of the event loop, for at most ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`never came true: ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function startBackend(t: TestContext, options: ServerOptions = {}) {
  const server = createServer().listen(0, '127.0.0.1')
  const backends = new WebSocketServer({ server, ...options })
  t.after(() => {
    for (const backend of backends.clients) backend.terminate()
    backends.close()
    server.close()
  })
  await once(server, 'listening')
  return { port: portOf(server), backends }
}

function upgradeHead(rawHeaders: readonly string[]): string {
  const lines = ['HTTP/1.1 101 Switching Protocols']
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`not a bound port: ${address}`)
  return address.port
}

function ignore(): void {}
