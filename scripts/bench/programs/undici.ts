// A contender: what a program pays that forwards with undici.
import { createWriteStream, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { type Dispatcher, Pool } from 'undici'
import type { Site } from '../site.ts'
import { readOptions } from './arguments.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const site = readOptions<Site>()
const pool = new Pool(`http://127.0.0.1:${site.backendPort}`, { connections: 1024, keepAliveTimeout: 75_000 })
const log = site.accessLog ? createWriteStream(join(site.dir, 'access.log')) : undefined

for (const { server, port, scheme } of [
  { server: createServer(), port: site.port, scheme: 'http' },
  {
    server: createTlsServer({ cert: readFileSync(site.certFile), key: readFileSync(site.keyFile) }),
    port: site.tlsPort,
    scheme: 'https',
  },
]) {
  server.keepAliveTimeout = 75_000
  server.on('request', (request: IncomingMessage, response: ServerResponse) => forward(request, response, scheme, port))
  server.listen(port, '127.0.0.1', 4096)
}

function forward(request: IncomingMessage, response: ServerResponse, scheme: string, port: number): void {
  if (log !== undefined) {
    response.on('finish', () => log.write(`${Date.now()} ${request.method} ${request.url} ${response.statusCode}\n`))
  }
  const address = request.socket.remoteAddress ?? ''
  const headers = endToEndFields(request.rawHeaders)
  headers.push('X-Forwarded-For', address, 'X-Forwarded-Proto', scheme)
  headers.push('X-Forwarded-Host', request.headers.host ?? '', 'X-Forwarded-Port', `${port}`)
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: hasBody ? request : null,
    },
    handlerFor(response),
  )
}

/** Without Host too: the pool has its own. */
function endToEndFields(rawHeaders: readonly string[]): string[] {
  const fields: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]]
    const lower = name.toLowerCase()
    if (lower !== 'host' && !HOP_BY_HOP.has(lower)) fields.push(name, value)
  }
  return fields
}

function handlerFor(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client is gone'))
      })
    },
    onResponseStart(_controller, status, headers) {
      for (const name of HOP_BY_HOP) delete headers[name]
      response.writeHead(status, headers)
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd() {
      response.end()
    },
    onResponseError() {
      response.destroy()
    },
  }
}
