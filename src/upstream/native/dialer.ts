import { connect as connectTcp, type OnReadOpts, type Socket, type TcpNetConnectOpts } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Backend } from '../backend.ts'
import { createTlsOptions } from '../tls-options.ts'
import { AddressCache, type ResolveHost } from './address-cache.ts'

/** RFC 8305 §5: how long an address may take before the next one is tried. */
const ATTEMPT_MS = 250
/** How long a connection is silent before the kernel asks whether the other side is still there. */
const PROBE_AFTER_MS = 60_000

/** Opens connections to one backend, trying all of its addresses and resuming its last TLS session. */
export class Dialer {
  readonly #backend: Backend
  readonly #addresses: AddressCache
  #tlsOptions: ConnectionOptions | undefined
  #session: Buffer | undefined

  constructor(backend: Backend, resolve: ResolveHost) {
    this.#backend = backend
    this.#addresses = new AddressCache(resolve)
  }

  get usesTls(): boolean {
    return this.#backend.config.tls !== undefined
  }

  /** Throws where the backend's port, certificate or key cannot be used. */
  dial(onread: OnReadOpts): Socket {
    const { host, port, tls, address = host } = this.#backend.config
    const options: TcpNetConnectOpts = {
      host: address,
      port,
      onread,
      lookup: this.#addresses.lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    }
    if (tls === undefined) return connectTcp(options)
    this.#tlsOptions ??= createTlsOptions(host, tls)
    const socket = connectTls({ ...this.#tlsOptions, ...options, session: this.#session })
    // Told only for a backend that was verified, so that a resumed session needs no second look at its name.
    socket.on('session', (session) => {
      this.#session = session
    })
    return socket
  }
}
