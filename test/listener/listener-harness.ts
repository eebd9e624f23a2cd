import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import type { ClientLimits, ClientTimeouts } from '../../src/config/config.ts'
import type { BodySink, Exchange, Responder, UpgradeExchange } from '../../src/exchange.ts'
import type { HeaderList } from '../../src/header-list.ts'
import {
  createHttp1Listener,
  type Http1Listener,
  type Http1ListenerOptions,
} from '../../src/listener/http1-listener.ts'
import type { ListenerSettings, RejectedRequest } from '../../src/listener/listener.ts'
import { ClientConnection } from '../helpers/http-client.ts'
import { waitFor } from '../helpers/wait.ts'

export interface HarnessOptions {
  readonly timeouts?: Partial<ClientTimeouts>
  readonly limits?: Partial<ClientLimits>
  readonly tls?: Http1ListenerOptions['tls']
  readonly count?: Http1ListenerOptions['count']
  /** What becomes of an exchange; by default it is only kept. */
  exchange?(exchange: Exchange): void
  upgrade?(exchange: UpgradeExchange): void
}

export interface Harness {
  readonly listener: Http1Listener
  readonly port: number
  readonly exchanges: Exchange[]
  readonly upgrades: UpgradeExchange[]
  readonly rejected: RejectedRequest[]
  /** The exchange with that index, as soon as it is there. */
  exchange(index: number): Promise<Exchange>
  upgrade(index: number): Promise<UpgradeExchange>
  /** A client that reads responses strictly. */
  client(): ClientConnection
  /** A client of bytes. */
  raw(bytes?: string | Buffer): RawClient
}

const TIMEOUTS: ClientTimeouts = {
  headerMs: 10_000,
  bodyIdleMs: 10_000,
  writeIdleMs: 10_000,
  keepAliveMs: 10_000,
  drainMs: 10_000,
  websocketDrainMs: 10_000,
}

const LIMITS: ClientLimits = { headerBytes: 16_384, headers: 100, bodyBytes: 0, connections: 1_000 }

export function settingsWith({ timeouts, limits }: Pick<HarnessOptions, 'timeouts' | 'limits'>): ListenerSettings {
  return { timeouts: { ...TIMEOUTS, ...timeouts }, limits: { ...LIMITS, ...limits } }
}

/** A listener on a free port whose handler keeps all that it is given. */
export async function startListener(t: TestContext, options: HarnessOptions = {}): Promise<Harness> {
  const exchanges: Exchange[] = []
  const upgrades: UpgradeExchange[] = []
  const rejected: RejectedRequest[] = []
  const listener = createHttp1Listener({
    settings: settingsWith(options),
    tls: options.tls,
    count: options.count,
    handler: {
      exchange(exchange) {
        exchanges.push(exchange)
        options.exchange?.(exchange)
      },
      upgrade(exchange) {
        upgrades.push(exchange)
        options.upgrade?.(exchange)
      },
      rejected: (request) => rejected.push(request),
    },
  })
  await listener.listen(0)
  t.after(() => listener.destroy())
  const port = listener.address?.port ?? 0
  return {
    listener,
    port,
    exchanges,
    upgrades,
    rejected,
    exchange: (index) => waitFor(() => exchanges[index], { what: `exchange ${index}` }),
    upgrade: (index) => waitFor(() => upgrades[index], { what: `upgrade ${index}` }),
    client() {
      const connection = new ClientConnection({ port })
      t.after(() => connection.destroy())
      return connection
    },
    raw(bytes) {
      const client = new RawClient(port)
      t.after(() => client.socket.destroy())
      if (bytes !== undefined) client.send(bytes)
      return client
    },
  }
}

/** Sends bytes and keeps those that come. */
export class RawClient {
  readonly socket: Socket
  received = ''
  /** FIN came. */
  ended = false
  closed = false
  errorCode: string | undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.setNoDelay(true)
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
    })
    this.socket.on('end', () => {
      this.ended = true
    })
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code
    })
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Everything up to the server's FIN, or its reset. */
  async rest(): Promise<string> {
    await waitFor(() => this.ended || this.closed, { what: 'the end of the connection' })
    return this.received
  }

  async has(text: string): Promise<string> {
    await waitFor(() => this.received.includes(text), { what: `${JSON.stringify(text)} in ${this.received}` })
    return this.received
  }

  async reset(): Promise<void> {
    await once(this.socket, 'connect')
    this.socket.resetAndDestroy()
  }
}

/** A whole answer at once. */
export function answer(exchange: { responder: Responder }, text = 'ok', headers: HeaderList = [], status = 200): void {
  const { responder } = exchange
  const body = Buffer.from(text)
  responder.head({ status, statusText: 'OK', headers: [...headers, 'Content-Length', String(body.length)] })
  if (body.length > 0) responder.write(body)
  responder.end([])
}

/** What a responder's watcher is told, word by word: `drained`, `finished`, `gone client_gone`. */
export function watch(responder: Responder): string[] {
  const told: string[] = []
  responder.watch({
    drained: () => told.push('drained'),
    finished: () => told.push('finished'),
    gone: (reason) => told.push(`gone ${reason}`),
  })
  return told
}

export interface CollectedBody {
  bytes: Buffer
  trailers: HeaderList | undefined
  /** `end` or `fail bad_request` */
  over: string | undefined
}

export function collect(exchange: Exchange): CollectedBody {
  const collected: CollectedBody = { bytes: Buffer.alloc(0), trailers: undefined, over: undefined }
  const sink: BodySink = {
    data(chunk) {
      if (collected.over !== undefined) throw new Error(`a chunk after ${collected.over}`)
      collected.bytes = Buffer.concat([collected.bytes, chunk])
    },
    end(trailers) {
      if (collected.over !== undefined) throw new Error(`end after ${collected.over}`)
      collected.trailers = trailers
      collected.over = 'end'
    },
    fail(reason) {
      if (collected.over !== undefined) throw new Error(`fail ${reason} after ${collected.over}`)
      collected.over = `fail ${reason}`
    },
  }
  exchange.body?.start(sink)
  return collected
}

/** The value once it stays what it is for a quarter of a second. */
export async function settled(value: () => number): Promise<number> {
  let last = value()
  let sinceMs = performance.now()
  return waitFor(
    () => {
      if (value() !== last) {
        last = value()
        sinceMs = performance.now()
      }
      return performance.now() - sinceMs > 250 ? last : undefined
    },
    { what: 'a number to stay' },
  )
}
