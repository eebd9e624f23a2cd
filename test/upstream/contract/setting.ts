import type { TestContext } from 'node:test'
import type { BodySource } from '../../../src/exchange.ts'
import type { HeaderList } from '../../../src/header-list.ts'
import { type Backend, createBackend } from '../../../src/upstream/backend.ts'
import type { Attempt, AttemptTimeouts, UpstreamEngine, UpstreamRequest } from '../../../src/upstream/engine.ts'
import { type RawBackend, type RawConnection, startRawBackend } from '../../helpers/raw-backend.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'

/** The implementation that the suite runs against. */
export interface Subject {
  readonly name: string
  createEngine(): UpstreamEngine
}

export interface RequestOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: HeaderList
  readonly body?: BodySource | undefined
  readonly timeouts?: Partial<AttemptTimeouts>
  readonly sink?: RecordingSink
}

export interface Sent {
  readonly attempt: Attempt
  readonly sink: RecordingSink
}

export interface Setting {
  readonly engine: UpstreamEngine
  readonly raw: RawBackend
  readonly backend: Backend
  send(options?: RequestOptions): Sent
  /** Sends and waits for the end, good or bad. */
  fetch(options?: RequestOptions): Promise<RecordingSink>
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const LONG: AttemptTimeouts = { connectMs: 20_000, responseMs: 20_000, idleMs: 20_000 }

/** An engine before a backend whose connections are played by `serve`. */
export async function arrange(
  t: TestContext,
  subject: Subject,
  serve: (connection: RawConnection, index: number) => Promise<void>,
): Promise<Setting> {
  const raw = await startRawBackend(t, serve)
  const engine = startEngine(t, subject)
  const backend = createBackend({ host: '127.0.0.1', port: raw.port, tls: undefined })
  return {
    engine,
    raw,
    backend,
    send: (options = {}) => send(engine, backend, options),
    fetch: (options = {}) => fetchFrom(engine, backend, options),
  }
}

export function startEngine(t: TestContext, subject: Subject): UpstreamEngine {
  const engine = subject.createEngine()
  t.after(() => engine.close())
  return engine
}

export function send(engine: UpstreamEngine, backend: Backend, options: RequestOptions = {}): Sent {
  const sink = options.sink ?? new RecordingSink()
  return { attempt: engine.request(backend, createRequest(options), sink), sink }
}

export async function fetchFrom(
  engine: UpstreamEngine,
  backend: Backend,
  options: RequestOptions = {},
): Promise<RecordingSink> {
  const { sink } = send(engine, backend, options)
  await sink.over
  return sink
}

export function createRequest({ method, path, headers, body, timeouts }: RequestOptions): UpstreamRequest {
  return {
    method: method ?? 'GET',
    path: path ?? '/',
    headers: headers ?? ['Host', 'backend.test'],
    body,
    timeouts: { ...LONG, ...timeouts },
  }
}

/** Answers every request on the connection, whatever it was, with the same bytes; only heads are read. */
export function answering(response: string): (connection: RawConnection) => Promise<void> {
  return async (connection) => {
    for (;;) {
      await connection.readHead()
      connection.write(response)
    }
  }
}

/** Waits until a counter that was under way has stood still for a while. */
export async function standstill(read: () => number): Promise<void> {
  for (let last = -1; last !== read() || last === 0; ) {
    last = read()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
