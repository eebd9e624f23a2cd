import { once } from 'node:events'
import { type AddressInfo, createServer, type DropArgument, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, type TLSSocket } from 'node:tls'
import type { ClientAddress } from '../exchange.ts'
import { takeConnections } from './accepting.ts'
import { addressOf } from './client-address.ts'
import { ClientInput } from './client-input.ts'
import { type ConnectionOwner, Http1Connection } from './http1-connection.ts'
import type { Listener, ListenerHandler, ListenerSettings } from './listener.ts'
import { MemoryPool } from './memory-pool.ts'
import { type Rejection, renderRejection } from './rejection.ts'
import { attachToData } from './socket-events.ts'
import type { SecureServerOptions } from './tls.ts'
import { TlsHandshakes } from './tls-handshakes.ts'
import { TurnEnd, type TurnUser } from './turn-end.ts'

/** Client connections of a whole worker, tunnels among them; handshakes do not count. */
export interface ConnectionCount {
  open: number
}

export interface Http1ListenerOptions {
  readonly settings: ListenerSettings
  readonly handler: ListenerHandler
  /** What `createTlsOptions` makes; undefined: plain HTTP. */
  readonly tls?: SecureServerOptions | undefined
  /** Given to every listener of a worker it makes `limits.connections` count all of theirs; else each counts its own. */
  readonly count?: ConnectionCount | undefined
}

/** A bound socket's handle as it came over a channel, or a port on loopback; 0: any that is free. */
export type ListenTarget = object | number

export interface Http1Listener extends Listener {
  /** Where it listens, once it does. */
  readonly address: AddressInfo | undefined
  /** TLS connections that ended before a request could come. */
  readonly failedHandshakes: number
  /** Resolves when connections are accepted; rejects where they cannot be. */
  listen(target: ListenTarget, backlog?: number): Promise<void>
}

const CHECK_MS = 250
const BACKLOG = 511
/** Connections above the limit that are still answered 503; more are closed as they come. */
const REFUSAL_ROOM = 256
const READ_BYTES = 65_536

/** An HTTP/1.0 and 1.1 listener on sockets, or on TLS sockets with `tls`. */
export function createHttp1Listener(options: Http1ListenerOptions): Http1Listener {
  return new BoundListener(options)
}

class BoundListener implements Http1Listener, ConnectionOwner {
  readonly handler: ListenerHandler
  settings: ListenerSettings
  isDraining = false
  isGraceOver = false
  failedHandshakes = 0
  readonly memory = new MemoryPool()
  readonly #isSecure: boolean
  readonly #server: Server
  readonly #count: ConnectionCount
  readonly #open = new Set<Http1Connection>()
  readonly #handshakes = new TlsHandshakes(() => this.#settle())
  readonly #drained = Promise.withResolvers<void>()
  readonly #turnEnd = new TurnEnd()
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #localPort = 0
  #dateLine = ''
  #checkTimer: NodeJS.Timeout | undefined
  #graceTimer: NodeJS.Timeout | undefined

  constructor({ settings, handler, tls, count = { open: 0 } }: Http1ListenerOptions) {
    this.settings = settings
    this.handler = handler
    this.#count = count
    this.#isSecure = tls !== undefined
    // A client that sends FIN behind its request still gets its answer.
    const options = { allowHalfOpen: true, noDelay: true }
    const server = tls === undefined ? createServer(options) : createSecureServer({ ...options, ...tls })
    this.#server = server
    this.apply(settings)
    server.on('drop', (peer) => this.#drop(peer ?? {}))
    if (tls === undefined) server.on('connection', (socket: Socket) => this.#connectEmitting(socket))
    else {
      server.on('connection', (socket: Socket) => this.#handshakes.begin(socket))
      server.on('secureConnection', (socket: TLSSocket) => {
        this.#connectEmitting(socket)
        this.#handshakes.end(socket)
      })
      server.on('tlsClientError', (error: Error, socket: TLSSocket) => this.#failHandshake(error, socket))
    }
  }

  get address(): AddressInfo | undefined {
    return (this.#server.address() as AddressInfo | null) ?? undefined
  }

  get connections(): number {
    return this.#open.size + this.#handshakes.count
  }

  /** Of this second, more or less. */
  get dateLine(): string {
    if (this.#dateLine === '') this.#dateLine = `Date: ${new Date().toUTCString()}\r\n`
    return this.#dateLine
  }

  async listen(target: ListenTarget, backlog = BACKLOG): Promise<void> {
    const server = this.#server
    const listening = once(server, 'listening')
    if (typeof target === 'number') server.listen(target, '127.0.0.1', backlog)
    // A handle is listened on by this process alone, also in a cluster worker: the primary is not asked.
    else server.listen(target, backlog)
    await listening
    this.#localPort = this.address?.port ?? 0
    if (!this.#isSecure) takeConnections(server, (handle) => this.#connectHandle(handle))
    // Accepting fails for want of file descriptors, mostly: the client waits in the backlog, or gets nothing.
    server.on('error', (error) => this.#reject(overCapacity(error.message), this.#nobody()))
    this.#checkTimer = setInterval(() => this.#check(), CHECK_MS).unref()
  }

  apply(settings: ListenerSettings): void {
    const { connections } = settings.limits
    this.settings = settings
    this.#server.maxConnections = connections === 0 ? Infinity : connections + REFUSAL_ROOM
  }

  drain(graceMs: number): Promise<void> {
    if (!this.isDraining) {
      this.isDraining = true
      this.#server.close()
      this.#graceTimer = setTimeout(() => this.#endGrace(), graceMs)
      this.#settle()
    }
    return this.#drained.promise
  }

  destroy(): void {
    void this.drain(0)
    this.#handshakes.destroy()
    for (const connection of this.#open) connection.cut('draining', false)
  }

  settleLater(user: TurnUser): void {
    this.#turnEnd.add(user)
  }

  released(connection: Http1Connection): void {
    this.#open.delete(connection)
    this.#settle()
  }

  closed(connection: Http1Connection): void {
    if (connection.isCounted) this.#count.open--
    this.released(connection)
  }

  #connectHandle(handle: object): void {
    const input = new ClientInput(this.#readBuffer)
    const socket = input.open(handle)
    if (this.connections >= this.#server.maxConnections) {
      this.#drop(socket)
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    this.#connect(socket, input)
  }

  /** A socket that emits 'data'. */
  #connectEmitting(socket: Socket): void {
    this.#connect(socket, new ClientInput(this.#readBuffer))
    attachToData(socket)
  }

  #connect(socket: Socket, input: ClientInput): void {
    const { connections: limit } = this.settings.limits
    const client = addressOf(socket, this.#localPort, this.#isSecure)
    const isCounted = limit === 0 || this.#count.open < limit
    const connection = new Http1Connection(this, socket, input, client, isCounted)
    this.#open.add(connection)
    if (isCounted) this.#count.open++
    else connection.reject(overCapacity(`more than ${limit} connections`))
  }

  #failHandshake(error: NodeJS.ErrnoException, secured: TLSSocket): void {
    this.failedHandshakes++
    const socket = this.#handshakes.end(secured)
    if (error.code === 'ERR_SSL_HTTP_REQUEST' && socket?.writable) {
      const rejection: Rejection = { reason: 'bad_request', status: 400, detail: 'plain HTTP on a TLS port' }
      socket.end(renderRejection(rejection), 'latin1')
      this.#reject(rejection, addressOf(socket, this.#localPort, false))
    }
    secured.destroy()
  }

  #check(): void {
    this.#dateLine = ''
    const nowMs = performance.now()
    for (const connection of this.#open) connection.check(nowMs)
    this.#handshakes.check(nowMs, this.settings.timeouts.headerMs)
  }

  #endGrace(): void {
    this.isGraceOver = true
    this.#handshakes.destroy()
    for (const connection of this.#open) if (connection.isIdle) connection.cut('draining', false)
  }

  #settle(): void {
    if (!this.isDraining || this.connections > 0) return
    clearTimeout(this.#graceTimer)
    clearInterval(this.#checkTimer)
    this.#drained.resolve()
  }

  #drop({ remoteAddress = '', remotePort = 0 }: DropArgument | Socket): void {
    this.#reject(overCapacity('no room to say so'), { ...this.#nobody(), remoteAddress, remotePort })
  }

  #reject(rejection: Rejection, client: ClientAddress): void {
    this.handler.rejected({ ...rejection, client, method: undefined, target: undefined })
  }

  #nobody(): ClientAddress {
    return { remoteAddress: '', remotePort: 0, localPort: this.#localPort, encrypted: this.#isSecure }
  }
}

function overCapacity(detail: string): Rejection {
  return { reason: 'over_capacity', status: 503, detail }
}
