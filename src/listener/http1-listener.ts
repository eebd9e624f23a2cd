import { once } from 'node:events'
import { type AddressInfo, type DropArgument, Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ClientAddress } from '../exchange.ts'
import { addressOf } from './client-address.ts'
import { type ConnectionOwner, Http1Connection } from './http1-connection.ts'
import type { Listener, ListenerHandler, ListenerSettings } from './listener.ts'
import { createNodeServer, type NodeServer, type SecureServerOptions } from './node-server.ts'
import { type Rejection, renderRejection } from './rejection.ts'
import { connectionOf } from './socket-events.ts'
import { TlsHandshakes } from './tls-handshakes.ts'

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

/** An HTTP/1.0 and 1.1 listener on node:http, or node:https with `tls`. */
export function createHttp1Listener(options: Http1ListenerOptions): Http1Listener {
  return new NodeListener(options)
}

class NodeListener implements Http1Listener, ConnectionOwner {
  readonly handler: ListenerHandler
  settings: ListenerSettings
  isDraining = false
  isGraceOver = false
  failedHandshakes = 0
  readonly #isSecure: boolean
  readonly #server: NodeServer
  readonly #count: ConnectionCount
  readonly #open = new Set<Http1Connection>()
  readonly #handshakes = new TlsHandshakes(() => this.#settle())
  readonly #drained = Promise.withResolvers<void>()
  #checkTimer: NodeJS.Timeout | undefined
  #graceTimer: NodeJS.Timeout | undefined

  constructor({ settings, handler, tls, count = { open: 0 } }: Http1ListenerOptions) {
    this.settings = settings
    this.handler = handler
    this.#count = count
    this.#isSecure = tls !== undefined
    const server = createNodeServer(tls)
    this.#server = server
    this.apply(settings)
    if (tls === undefined) server.on('connection', (socket) => this.#connect(socket))
    else {
      server.on('connection', (socket) => this.#handshakes.begin(socket))
      server.on('secureConnection', (socket: TLSSocket) => {
        this.#connect(socket)
        this.#handshakes.end(socket)
      })
    }
    server.on('request', (message, response) => connectionOf(message.socket)?.take(message, response))
    server.on('upgrade', (message, socket, first) => connectionOf(socket as Socket)?.switch(message, first))
    server.on('connect', (message, socket) => connectionOf(socket as Socket)?.refuseConnect(message))
    server.on('timeout', (socket) => connectionOf(socket)?.timedOut())
    server.on('clientError', (error, socket) => this.#fail(error, socket as Socket))
    server.on('drop', (peer) => this.#reject(overCapacity('no room to say so'), this.#clientOf(peer ?? {})))
  }

  get address(): AddressInfo | undefined {
    return (this.#server.address() as AddressInfo | null) ?? undefined
  }

  get connections(): number {
    return this.#open.size + this.#handshakes.count
  }

  async listen(target: ListenTarget, backlog = BACKLOG): Promise<void> {
    const server = this.#server
    const listening = once(server, 'listening')
    if (typeof target === 'number') server.listen(target, '127.0.0.1', backlog)
    // A handle is listened on by this process alone, also in a cluster worker: the primary is not asked.
    else server.listen(target, backlog)
    await listening
    // Accepting fails for want of file descriptors, mostly: the client waits in the backlog, or gets nothing.
    server.on('error', (error) => this.#reject(overCapacity(error.message), this.#clientOf({})))
    this.#checkTimer = setInterval(() => this.#check(), CHECK_MS).unref()
  }

  apply(settings: ListenerSettings): void {
    this.settings = settings
    const { timeouts, limits } = settings
    this.#server.maxHeaderSize = limits.headerBytes
    this.#server.headersTimeout = timeouts.headerMs
    this.#server.keepAliveTimeout = timeouts.keepAliveMs
    this.#server.maxConnections = limits.connections === 0 ? Infinity : limits.connections + REFUSAL_ROOM
  }

  drain(graceMs: number): Promise<void> {
    if (!this.isDraining) {
      this.isDraining = true
      // The close of node:http would cut idle connections, and no longer look for slow heads.
      Server.prototype.close.call(this.#server)
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

  released(connection: Http1Connection): void {
    this.#open.delete(connection)
    this.#settle()
  }

  closed(connection: Http1Connection): void {
    if (connection.isCounted) this.#count.open--
    this.released(connection)
  }

  #connect(socket: Socket): void {
    const limit = this.settings.limits.connections
    const isCounted = limit === 0 || this.#count.open < limit
    const connection = new Http1Connection(this, socket, isCounted)
    this.#open.add(connection)
    if (isCounted) this.#count.open++
    else connection.reject(overCapacity(`more than ${limit} connections`))
  }

  #fail(error: Error, socket: Socket): void {
    const connection = connectionOf(socket)
    if (connection === undefined) this.#failHandshake(error, socket as TLSSocket)
    else connection.fail(error)
  }

  #failHandshake(error: NodeJS.ErrnoException, secured: TLSSocket): void {
    this.failedHandshakes++
    const socket = this.#handshakes.end(secured)
    if (error.code === 'ERR_SSL_HTTP_REQUEST' && socket?.writable) {
      const rejection: Rejection = { reason: 'bad_request', status: 400, detail: 'plain HTTP on a TLS port' }
      socket.end(renderRejection(rejection), 'latin1')
      this.#reject(rejection, addressOf(socket))
    }
    secured.destroy()
  }

  #check(): void {
    const nowMs = performance.now()
    for (const connection of this.#open) connection.check(nowMs)
    this.#handshakes.check(nowMs, this.settings.timeouts.headerMs)
  }

  #endGrace(): void {
    this.isGraceOver = true
    this.#handshakes.destroy()
    // Only Node's parser knows which of them have begun to send a head: those are not idle.
    this.#server.closeIdleConnections()
  }

  #settle(): void {
    if (!this.isDraining || this.connections > 0) return
    clearTimeout(this.#graceTimer)
    clearInterval(this.#checkTimer)
    this.#server.close()
    this.#drained.resolve()
  }

  #reject(rejection: Rejection, client: ClientAddress): void {
    this.handler.rejected({ ...rejection, client, method: undefined, target: undefined })
  }

  #clientOf({ remoteAddress = '', remotePort = 0, localPort = 0 }: DropArgument): ClientAddress {
    return { remoteAddress, remotePort, localPort, encrypted: this.#isSecure }
  }
}

function overCapacity(detail: string): Rejection {
  return { reason: 'over_capacity', status: 503, detail }
}
