// A contender: what a program pays that uses http-proxy-3 as it ships.
import { createWriteStream, readFileSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createProxyServer } from 'http-proxy-3'
import type { Site } from '../site.ts'
import { readOptions } from './arguments.ts'

const site = readOptions<Site>()
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 })
const proxy = createProxyServer({
  target: `http://127.0.0.1:${site.backendPort}`,
  agent,
  xfwd: true,
  changeOrigin: true,
})
const webSocket = { target: `http://127.0.0.1:${site.webSocketPort}` }
const log = site.accessLog ? createWriteStream(join(site.dir, 'access.log')) : undefined

proxy.on('error', (_error, _request, response) => response.destroy())

for (const { server, port } of [
  { server: createServer(), port: site.port },
  {
    server: createTlsServer({ cert: readFileSync(site.certFile), key: readFileSync(site.keyFile) }),
    port: site.tlsPort,
  },
]) {
  server.keepAliveTimeout = 75_000
  server.on('request', forward)
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    proxy.ws(request, socket, head, webSocket)
  })
  server.listen(port, '127.0.0.1', 4096)
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  if (log !== undefined) {
    response.on('finish', () => log.write(`${Date.now()} ${request.method} ${request.url} ${response.statusCode}\n`))
  }
  proxy.web(request, response)
}
