import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Echo } from './backends.ts'
import { ClientConnection, ClientError, type Reply, type SentRequest, type Target } from './http-client.ts'
import { runWebSocketClient } from './websocket-load.ts'

export type LoadKind = 'keep-alive' | 'new connection' | 'upload' | 'websocket'

export interface LoadFailure {
  readonly kind: LoadKind
  readonly why: string
  /** Milliseconds since the load began. */
  readonly atMs: number
  /** The client's port of the connection; undefined where there was none. */
  readonly localPort: number | undefined
}

export interface KindResult {
  /** Exchanges that were completed and right; for WebSocket messages. */
  requests: number
  failed: LoadFailure[]
  /** A kept connection that was closed under the request before any byte of the response: sent once more (RFC 9112 §9.3.1). */
  retried: LoadFailure[]
  connections: number
  /** WebSocket only: how often the server ended it with 1001. */
  goneAway: number
}

export type LoadResult = Readonly<Record<LoadKind, Readonly<KindResult>>>

export interface LoadOptions {
  /** Both kinds of paths lead to an echo backend. */
  readonly path: string
  readonly webSocketPath?: string
  /** Clients of each kind. */
  readonly clients?: Partial<Readonly<Record<LoadKind, number>>>
  /** Between the exchanges of a client: the tests share the machine with what they test. */
  readonly pauseMs?: number
  /** The load ends by itself then; 60 seconds by default. */
  readonly maxMs?: number
}

export interface Load {
  /** As it is now. */
  readonly result: LoadResult
  /** Begins nothing new, and resolves when everything that was begun has ended. */
  stop(): Promise<LoadResult>
}

/** What the client of one kind works with. */
export interface LoadClient {
  readonly kind: LoadKind
  readonly target: Target
  readonly path: string
  readonly result: KindResult
  readonly pauseMs: number
  readonly isStopped: () => boolean
  note(list: 'failed' | 'retried', why: string, localPort: number | undefined): void
}

const DEFAULT_CLIENTS: Readonly<Record<LoadKind, number>> = {
  'keep-alive': 4,
  'new connection': 2,
  upload: 2,
  websocket: 4,
}

/** Several clients of every kind at once, each checking what it gets. */
export function startLoad(target: Target, options: LoadOptions): Load {
  const { path, webSocketPath = path, pauseMs = 3, maxMs = 60_000 } = options
  const startedMs = performance.now()
  const clients = { ...DEFAULT_CLIENTS, ...options.clients }
  const result: LoadResult = {
    'keep-alive': emptyResult(),
    'new connection': emptyResult(),
    upload: emptyResult(),
    websocket: emptyResult(),
  }
  let stopped = false
  const isStopped = () => stopped || performance.now() - startedMs > maxMs
  const createClient = (kind: LoadKind): LoadClient => ({
    kind,
    target,
    path: kind === 'websocket' ? webSocketPath : path,
    result: result[kind],
    pauseMs,
    isStopped,
    note: (list, why, localPort) =>
      result[kind][list].push({ kind, why, atMs: Math.round(performance.now() - startedMs), localPort }),
  })
  const running = Object.entries(clients).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => runClient(createClient(kind as LoadKind), index)),
  )
  return {
    result,
    stop: async () => {
      stopped = true
      await Promise.all(running)
      return result
    },
  }
}

/** One line for each kind that was asked for. */
export function describeLoad(result: LoadResult): string {
  return Object.entries(result)
    .filter(([, { connections }]) => connections > 0)
    .map(([kind, { requests, failed, retried, connections, goneAway }]) => {
      const more = kind === 'websocket' ? `${goneAway} gone away` : `${retried.length} retried`
      return `${kind}: ${requests} done, ${failed.length} failed, ${more}, ${connections} connections`
    })
    .join('\n')
}

export function listFailures(result: LoadResult): LoadFailure[] {
  return Object.values(result).flatMap(({ failed }) => failed)
}

export function countRequests(result: LoadResult): number {
  return Object.values(result).reduce((sum, { requests }) => sum + requests, 0)
}

async function runClient(client: LoadClient, index: number): Promise<void> {
  if (client.kind === 'websocket') await runWebSocketClient(client, index)
  else await runHttpClient(client, index)
}

async function runHttpClient(client: LoadClient, index: number): Promise<void> {
  let connection: ClientConnection | undefined
  for (let count = 0; !client.isStopped(); count++) {
    const request = createRequest(client, `${index}-${count}`)
    connection = await exchange(client, takeUsable(client, connection), request)
    await delay(client.pauseMs)
  }
  connection?.destroy()
}

/** The connection, where the server lets it stand. */
function takeUsable(client: LoadClient, connection: ClientConnection | undefined): ClientConnection | undefined {
  if (!connection?.isSpoilt) return connection
  if (connection.strayBytes > 0)
    client.note('failed', `${connection.strayBytes} stray bytes`, connection.socket.localPort)
  connection.destroy()
  return undefined
}

/** Resolves to the connection where it is kept. */
async function exchange(
  client: LoadClient,
  kept: ClientConnection | undefined,
  request: SentRequest,
): Promise<ClientConnection | undefined> {
  const connection = kept ?? open(client)
  try {
    const isKept = checkReply(request, await connection.request(request))
    client.result.requests += 1
    if (isKept) return connection
  } catch (error) {
    const { message } = error as Error
    const { localPort } = connection.socket
    if (kept && isRetriable(error, request)) {
      connection.destroy()
      client.note('retried', message, localPort)
      return exchange(client, undefined, request)
    }
    client.note('failed', `${request.path}${kept ? ' (reused)' : ''}: ${message}`, localPort)
  }
  connection.destroy()
  return undefined
}

function open(client: LoadClient): ClientConnection {
  client.result.connections += 1
  const connection = new ClientConnection(client.target)
  rememberPort(connection)
  return connection
}

// A socket that has been destroyed has no port any more.
function rememberPort({ socket }: ClientConnection): void {
  socket.once('connect', () => {
    const { localPort } = socket
    Object.defineProperty(socket, 'localPort', { value: localPort })
  })
}

function isRetriable(error: unknown, { method = 'GET' }: SentRequest): boolean {
  return error instanceof ClientError && !error.begun && method === 'GET'
}

function createRequest({ kind, path }: LoadClient, id: string): SentRequest {
  const target = `${path}/${kind.replace(' ', '-')}?id=${id}`
  if (kind === 'keep-alive') return { path: target }
  if (kind === 'new connection') return { path: target, headers: ['Connection', 'close'] }
  const size = 65_536 + Math.floor(Math.random() * (1_048_576 - 65_536))
  return { method: 'POST', path: target, body: randomBytes(size) }
}

/** Whether the connection is kept. */
function checkReply(
  { method = 'GET', path, body }: SentRequest,
  { status, headers, body: answer, kept }: Reply,
): boolean {
  if (status !== 200) throw new Error(`status ${status} ${answer.toString().slice(0, 200)} ${headers.join(' ')}`)
  const echo = JSON.parse(answer.toString()) as Echo
  const id = path.slice(path.indexOf('?'))
  if (echo.method !== method || !echo.target.endsWith(id)) {
    throw new Error(`another request's answer: ${echo.method} ${echo.target}`)
  }
  const expected = createHash('sha256')
    .update(body ?? '')
    .digest('hex')
  if (echo.bodySha256 !== expected) throw new Error(`the body changed on its way: ${echo.bodyBytes} bytes arrived`)
  return kept
}

function emptyResult(): KindResult {
  return { requests: 0, failed: [], retried: [], connections: 0, goneAway: 0 }
}
