import { createHash } from 'node:crypto'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import type { TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type WebSocket, WebSocketServer } from 'ws'
import type { CertificateFiles } from './certificates.ts'

export interface TestBackend {
  readonly host: string
  readonly port: number
  /** Connections that are open now. */
  readonly connections: ReadonlySet<Socket>
  /** Nobody listens there any more, and whatever was open is reset. */
  kill(): void
}

/** What an echo backend answers: the request as it came. */
export interface Echo {
  readonly backend: string
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly bodyBytes: number
  readonly bodySha256: string
  /** Undefined over plain HTTP. */
  readonly serverName: string | undefined
}

export interface EchoBackend extends TestBackend {
  /** Requests that ended, and upgrades, since it was started. */
  readonly requests: number
  /** Open ones. */
  readonly webSockets: ReadonlySet<WebSocket>
}

export interface EchoOptions {
  /** Told in every answer. */
  readonly name?: string
  readonly tls?: CertificateFiles | undefined
  /** Any free one by default. */
  readonly port?: number
  /** Ahead of the echo; true: it has answered itself. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly onWebSocket?: (webSocket: WebSocket) => void
}

/** Answers every request with what it received, and every WebSocket message with the same. */
export async function startEcho(t: TestContext, options: EchoOptions = {}): Promise<EchoBackend> {
  const { name = 'echo', tls, port, answer, onWebSocket } = options
  let requests = 0
  const server = createServer(tls, (request, response) => {
    requests += 1
    if (!answer?.(request, response)) answerEcho(name, request, response)
  })
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 16 << 20 })
  server.on('upgrade', (request, socket, head) => {
    requests += 1
    socket.on('error', () => socket.destroy())
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      onWebSocket?.(webSocket)
      webSocket.on('error', () => undefined)
      webSocket.on('message', (data, isBinary) => {
        if (!isBinary && String(data) === 'request?') webSocket.send(describe(name, request))
        else webSocket.send(data, { binary: isBinary })
      })
    })
  })
  const backend = await listen(t, server, port)
  return {
    ...backend,
    get requests() {
      return requests
    },
    webSockets: webSockets.clients,
  }
}

/** A backend that is `node:http` with this listener. */
export function startHttpBackend(
  t: TestContext,
  listener: RequestListener,
  tls?: CertificateFiles,
): Promise<TestBackend> {
  return listen(t, createServer(tls, listener))
}

export const FAULTS = {
  /** Accepts, reads, and never says a word. */
  silent: () => undefined,
  /** Ends the connection when a request has come. */
  closes: (socket: Socket) => socket.end(),
  resets: (socket: Socket) => socket.resetAndDestroy(),
  /** Never gets past the head. */
  'stalls in the body': (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst'),
  'ends in the body': (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst'),
  'ends in a chunk': (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nfirst'),
  'resets in the body': (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst', () => socket.resetAndDestroy())
  },
  'is no HTTP': (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  'answers two lengths': (socket: Socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
} as const satisfies Record<string, (socket: Socket) => unknown>

/** A backend that fails every request in the same way, as soon as the request's first bytes have come. */
export function startFaulty(t: TestContext, fault: keyof typeof FAULTS): Promise<TestBackend> {
  return startTcpBackend(t, (socket) => {
    socket.once('data', () => FAULTS[fault](socket))
    socket.resume()
  })
}

/** A backend that speaks for itself. */
export function startTcpBackend(t: TestContext, onConnection: (socket: Socket) => void): Promise<TestBackend> {
  return listen(t, createTcpServer(onConnection))
}

/** A port on which nobody listens. */
export async function findClosedPort(): Promise<number> {
  const server = createTcpServer()
  const port = await bind(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function createServer(tls: CertificateFiles | undefined, listener: RequestListener): Server {
  const server = tls ? createHttpsServer({ cert: tls.certPem, key: tls.keyPem }, listener) : createHttpServer(listener)
  // A kept connection that the backend drops is a fault of its own kind, not one for every test.
  server.keepAliveTimeout = 120_000
  server.headersTimeout = 130_000
  return server
}

async function listen(t: TestContext, server: TcpServer, wanted = 0): Promise<TestBackend> {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => connections.delete(socket))
  })
  const port = await bind(server, wanted)
  t.after(() => {
    server.close()
    for (const socket of connections) socket.destroy()
  })
  const kill = () => {
    server.close()
    for (const socket of connections) socket.resetAndDestroy()
  }
  return { host: '127.0.0.1', port, connections, kill }
}

function bind(server: TcpServer, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', backlog: 1024 }, () => resolve((server.address() as AddressInfo).port))
  })
}

function answerEcho(name: string, request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256')
  let bodyBytes = 0
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    bodyBytes += chunk.length
  })
  request.on('error', () => undefined)
  request.on('end', () => {
    const body = Buffer.from(describe(name, request, bodyBytes, hash.digest('hex')))
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    response.end(body)
  })
}

function describe(name: string, request: IncomingMessage, bodyBytes = 0, bodySha256 = ''): string {
  const serverName = (request.socket as TLSSocket).servername
  const echo: Echo = {
    backend: name,
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.rawHeaders,
    bodyBytes,
    bodySha256,
    serverName: typeof serverName === 'string' ? serverName : undefined,
  }
  return JSON.stringify(echo)
}
