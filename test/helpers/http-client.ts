import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface Target {
  /** 127.0.0.1 by default. */
  readonly host?: string
  readonly port: number
  readonly tls?: ConnectionOptions | undefined
  /** Longest silence while a response is read; 20 seconds by default. */
  readonly patienceMs?: number
}

export interface SentRequest {
  readonly method?: string
  readonly path: string
  /** Name and value in turn; Host and the body's length are added where they are missing. */
  readonly headers?: readonly string[]
  readonly body?: Buffer | string
}

export interface Reply {
  readonly status: number
  readonly version: string
  /** Name and value in turn, as they came. */
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly trailers: readonly string[]
  /** The server keeps the connection for another request. */
  readonly kept: boolean
}

/** The connection ended in the wrong place, or what came over it was not HTTP. */
export class ClientError extends Error {
  /** At least one byte of the response had come. */
  readonly begun: boolean

  constructor(message: string, begun: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'ClientError'
    this.begun = begun
  }
}

/** One connection that takes a response for what RFC 9112 says and nothing else. Its requests go one after another. */
export class ClientConnection {
  readonly socket: Socket
  readonly #patienceMs: number
  #buffer = Buffer.alloc(0)
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(target: Target) {
    const { host = '127.0.0.1', port, tls, patienceMs = 20_000 } = target
    this.#patienceMs = patienceMs
    this.socket = tls ? connectTls({ host, port, ...tls }) : connectTcp({ host, port })
    this.socket.setNoDelay(true)
    this.socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#wake?.()
    })
    this.socket.on('end', () => this.#end())
    this.socket.on('close', () => this.#end())
    this.socket.on('error', (error) => {
      this.#error = error
      this.#end()
    })
  }

  /** The server closed it, or sent bytes that nobody asked for. */
  get isSpoilt(): boolean {
    return this.#ended || this.#buffer.length > 0
  }

  /** Bytes that came without being asked for. */
  get strayBytes(): number {
    return this.#buffer.length
  }

  async request(request: SentRequest): Promise<Reply> {
    this.socket.write(formatRequest(request))
    return this.readReply(request.method ?? 'GET')
  }

  async readReply(method: string): Promise<Reply> {
    for (;;) {
      const head = (await this.#takeUntil('\r\n\r\n', false)).toString('latin1')
      const [statusLine = '', ...lines] = head.split('\r\n')
      const match = /^HTTP\/(1\.[01]) (\d{3}) ?.*$/.exec(statusLine)
      if (!match) throw new ClientError(`not a status line: ${JSON.stringify(statusLine)}`, true)
      const status = Number(match[2])
      if (status >= 100 && status < 200 && status !== 101) continue
      const version = match[1] ?? ''
      const headers = parseFields(lines)
      return { status, version, headers, ...(await this.#readBody(method, status, version, headers)) }
    }
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close')
  }

  destroy(): void {
    this.socket.destroy()
  }

  async #readBody(method: string, status: number, version: string, headers: readonly string[]) {
    const connection = readField(headers, 'connection')?.toLowerCase() ?? ''
    const kept = version === '1.1' ? !connection.includes('close') : connection.includes('keep-alive')
    const done = (body: Buffer, trailers: readonly string[] = [], mayKeep = true) => ({
      body,
      trailers,
      kept: kept && mayKeep,
    })
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return done(Buffer.alloc(0))
    if (readField(headers, 'transfer-encoding')?.toLowerCase() === 'chunked') {
      const { body, trailers } = await this.#readChunks()
      return done(body, trailers)
    }
    const length = readField(headers, 'content-length')
    if (length === undefined) return done(await this.#readToEnd(), [], false)
    if (!/^\d+$/.test(length)) throw new ClientError(`content-length: ${length}`, true)
    return done(await this.#take(Number(length), true))
  }

  async #readChunks(): Promise<{ body: Buffer; trailers: readonly string[] }> {
    const parts: Buffer[] = []
    for (;;) {
      const line = (await this.#takeUntil('\r\n', true)).toString('latin1')
      if (!/^[0-9a-f]+(;.*)?$/i.test(line)) throw new ClientError(`not a chunk size: ${JSON.stringify(line)}`, true)
      const size = Number.parseInt(line, 16)
      if (size === 0) break
      parts.push(await this.#take(size, true))
      if ((await this.#take(2, true)).toString('latin1') !== '\r\n') throw new ClientError('chunk without end', true)
    }
    const trailers: string[] = []
    for (;;) {
      const line = (await this.#takeUntil('\r\n', true)).toString('latin1')
      if (line === '') return { body: Buffer.concat(parts), trailers: parseFields(trailers) }
      trailers.push(line)
    }
  }

  async #readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#more()
    if (this.#error) throw new ClientError(this.#error.message, true, this.#error)
    const body = this.#buffer
    this.#buffer = Buffer.alloc(0)
    return body
  }

  async #takeUntil(mark: string, begun: boolean): Promise<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(mark, 0, 'latin1')
      if (at >= 0) {
        const taken = this.#buffer.subarray(0, at)
        this.#buffer = this.#buffer.subarray(at + mark.length)
        return taken
      }
      await this.#moreOrFail(begun || this.#buffer.length > 0)
    }
  }

  async #take(count: number, begun: boolean): Promise<Buffer> {
    while (this.#buffer.length < count) await this.#moreOrFail(begun)
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  async #moreOrFail(begun: boolean): Promise<void> {
    if (this.#ended) {
      const why = this.#error?.message ?? 'the server closed the connection'
      throw new ClientError(begun ? `${why} in mid-response` : `${why} before the response`, begun, this.#error)
    }
    await this.#more()
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new ClientError(`nothing came for ${this.#patienceMs} ms`, this.#buffer.length > 0))
      }, this.#patienceMs)
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #end(): void {
    this.#ended = true
    this.#wake?.()
  }
}

/** One request on a connection of its own. */
export async function sendRequest(target: Target, request: SentRequest): Promise<Reply> {
  const connection = new ClientConnection(target)
  try {
    return await connection.request(request)
  } finally {
    connection.destroy()
  }
}

function formatRequest({ method = 'GET', path, headers = [], body }: SentRequest): Buffer {
  const fields = [...headers]
  if (readField(fields, 'host') === undefined) fields.unshift('Host', 'localhost')
  if (body !== undefined) fields.push('Content-Length', String(Buffer.byteLength(body)))
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), Buffer.from(body ?? '')])
}

export function readField(headers: readonly string[], name: string): string | undefined {
  return readFields(headers, name)[0]
}

export function readFields(headers: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() === name) values.push(headers[i + 1] ?? '')
  }
  return values
}

function parseFields(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(':')
    if (colon <= 0) throw new ClientError(`not a field: ${JSON.stringify(line)}`, true)
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
}
