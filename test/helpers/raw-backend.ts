import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { HeaderList } from '../../src/header-list.ts'

export interface RawHead {
  /** Request line and fields byte for byte (latin1), with the empty line. */
  readonly text: string
  readonly line: string
  readonly headers: HeaderList
}

export interface RawChunkedBody {
  readonly body: Buffer
  readonly trailers: HeaderList
}

/** A connection that reads exactly what it is asked to, and writes bytes as they are given. */
export class RawConnection {
  readonly socket: Socket
  #unread: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
  }

  async readHead(): Promise<RawHead> {
    const text = (await this.#readThrough('\r\n\r\n')).toString('latin1')
    const [line = '', ...fields] = text.slice(0, -4).split('\r\n')
    return { text, line, headers: fields.flatMap(splitField) }
  }

  async readBytes(count: number): Promise<Buffer> {
    while (this.#unread.length < count) await this.#readMore()
    return this.#take(count)
  }

  async readChunked(): Promise<RawChunkedBody> {
    const chunks: Buffer[] = []
    for (;;) {
      const size = Number.parseInt((await this.#readThrough('\r\n')).toString('latin1'), 16)
      if (size === 0) break
      chunks.push(await this.readBytes(size))
      await this.readBytes(2)
    }
    const trailers: string[] = []
    for (;;) {
      const line = (await this.#readThrough('\r\n')).toString('latin1').slice(0, -2)
      if (line === '') return { body: Buffer.concat(chunks), trailers }
      trailers.push(...splitField(line))
    }
  }

  /** Whatever comes until the other side ends. */
  async readToEnd(): Promise<Buffer> {
    try {
      for (;;) await this.#readMore()
    } catch {
      return this.#take(this.#unread.length)
    }
  }

  /** Reads and forgets until the other side ends or resets, which must be sooner than any connection idles out. */
  async gone(): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(reject, 2_000, new Error('the connection is still there'))
    try {
      await Promise.race([this.readToEnd(), promise])
    } finally {
      clearTimeout(timer)
    }
    this.socket.end()
  }

  write(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Resolves when the kernel has taken everything. */
  async flush(data: string | Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, () => resolve())
    await promise
  }

  async #readThrough(end: string): Promise<Buffer> {
    for (;;) {
      const index = this.#unread.indexOf(end)
      if (index >= 0) return this.#take(index + end.length)
      await this.#readMore()
    }
  }

  #take(count: number): Buffer {
    const taken = this.#unread.subarray(0, count)
    this.#unread = this.#unread.subarray(count)
    return taken
  }

  async #readMore(): Promise<void> {
    for (;;) {
      const chunk: Buffer | null = this.socket.read()
      if (chunk !== null) {
        this.#unread = Buffer.concat([this.#unread, chunk])
        return
      }
      if (this.socket.readableEnded || this.socket.destroyed) throw new Error('connection ended')
      const { promise, resolve } = Promise.withResolvers<void>()
      for (const event of ['readable', 'end', 'close']) this.socket.once(event, resolve)
      await promise
      for (const event of ['readable', 'end', 'close']) this.socket.off(event, resolve)
    }
  }
}

export interface RawBackend {
  readonly port: number
  readonly connections: readonly RawConnection[]
  /** The connection of that number, from 0, once it is there. */
  connection(index: number): Promise<RawConnection>
}

/** A TCP or TLS server on a free loopback port; `serve` plays one connection, and fails when that ends. */
export async function startRawBackend(
  t: TestContext,
  serve: (connection: RawConnection, index: number) => Promise<void>,
  tls?: TlsOptions,
): Promise<RawBackend> {
  const connections: RawConnection[] = []
  const waiting = new Map<number, PromiseWithResolvers<RawConnection>>()
  const waitFor = (index: number) => {
    const waiter = waiting.get(index) ?? Promise.withResolvers<RawConnection>()
    waiting.set(index, waiter)
    return waiter
  }
  const accept = (socket: Socket) => {
    const connection = new RawConnection(socket)
    const index = connections.push(connection) - 1
    waitFor(index).resolve(connection)
    serve(connection, index).catch(() => socket.end())
  }
  const server: Server =
    tls === undefined
      ? createServer({ allowHalfOpen: true }, accept)
      : createTlsServer({ ...tls, allowHalfOpen: true }, accept)
  const accepted: Socket[] = []
  server.on('connection', (socket) => accepted.push(socket))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of accepted) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    connection: (index) => waitFor(index).promise,
  }
}

/** A port on which nobody listens. */
export async function findClosedPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}
