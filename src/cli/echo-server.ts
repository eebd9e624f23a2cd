import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from '../address.ts'
import { echoWebSocket } from './echo-websocket.ts'

/** How much of a body is sent back; all of it is counted. */
const SHOWN_BODY_BYTES = 64 * 1024
const KEEP_ALIVE_MS = 75_000

export interface EchoOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** PEM; undefined: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

export interface EchoServer {
  readonly port: number
  readonly url: string
  /** Cuts every connection. */
  close(): Promise<void>
}

/** What the sample backend answers: the request as it arrived. */
export interface EchoReply {
  readonly method: string
  /** The raw request target. */
  readonly path: string
  readonly httpVersion: string
  /** In wire order, with their case and duplicates. */
  readonly headers: readonly (readonly [string, string])[]
  readonly bodyBytes: number
  /** The first 64 KB as UTF-8. */
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
  readonly tls: boolean
  /** The backend's own. */
  readonly port: number
}

/** A sample backend that answers HTTP and WebSocket with what it received. Rejects where it cannot listen. */
export async function startEcho({ host, port, tls }: EchoOptions): Promise<EchoServer> {
  const server: Server = tls ? createTlsServer(tls) : createServer()
  server.requestTimeout = 0
  server.keepAliveTimeout = KEEP_ALIVE_MS
  const upgraded = new Set<Duplex>()
  server.on('request', (request, response) => answer(request, response, tls !== undefined))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
    if (!echoWebSocket(request, socket, first)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const bound = server.address() as AddressInfo
  return {
    port: bound.port,
    url: `${tls ? 'https' : 'http'}://${formatAddress(host, bound.port)}/`,
    close() {
      for (const socket of upgraded) socket.destroy()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse, tls: boolean): void {
  const chunks: Buffer[] = []
  let bodyBytes = 0
  request.on('data', (chunk: Buffer) => {
    if (bodyBytes < SHOWN_BODY_BYTES) chunks.push(chunk)
    bodyBytes += chunk.length
  })
  request.on('error', () => response.destroy())
  request.on('end', () => {
    const reply: EchoReply = {
      method: request.method ?? '',
      path: request.url ?? '',
      httpVersion: request.httpVersion,
      headers: pairs(request.rawHeaders),
      bodyBytes,
      body: Buffer.concat(chunks).subarray(0, SHOWN_BODY_BYTES).toString(),
      trailers: pairs(request.rawTrailers),
      tls,
      port: request.socket.localPort ?? 0,
    }
    const text = `${JSON.stringify(reply, undefined, 2)}\n`
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  })
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) result.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  return result
}
