import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import { formatAddress } from '../address.ts'
import type { AdminConfig } from '../config/config.ts'
import { type AdminAnswers, createAdminServer } from './admin-server.ts'
import { type BoundSocket, bindSocket, isAddressInUse } from './bound-socket.ts'

/** A change of the admin listener that is ready: one of the two ends it. */
export interface AdminMove {
  commit(): void
  discard(): Promise<void>
}

interface Serving {
  readonly settings: AdminConfig
  readonly server: Server
}

const BACKLOG = 64
const NOTHING: AdminMove = { commit: () => undefined, discard: () => Promise.resolve() }

/** Takes the address of the admin listener; undefined where it is off. Throws an error that says which and why. */
export async function bindAdmin({ host, port }: AdminConfig): Promise<BoundSocket | undefined> {
  if (port === 0) return undefined
  try {
    return await bindSocket(host, port)
  } catch (error) {
    const { message, cause } = error as Error
    throw new Error(`admin: ${message}`, { cause })
  }
}

/** Where metrics, health and status are told; it comes, goes and moves with the configuration. */
export class AdminListener {
  readonly #answers: AdminAnswers
  readonly #logger: Logger
  #serving: Serving | undefined

  constructor(answers: AdminAnswers, logger: Logger) {
    this.#answers = answers
    this.#logger = logger
  }

  /** Undefined where it is off. */
  get url(): string | undefined {
    const settings = this.#serving?.settings
    return settings && `http://${formatAddress(settings.host, settings.port)}`
  }

  /** Serves on what `bindAdmin` gave. */
  async open(settings: AdminConfig, socket: BoundSocket | undefined): Promise<void> {
    if (socket !== undefined) this.#serving = await this.#serve(settings, socket)
  }

  /** Opens the new address beside the old one. Throws where it cannot be had; then the old one serves on. */
  async prepare(settings: AdminConfig): Promise<AdminMove> {
    const old = this.#serving
    if (isSame(old?.settings, settings)) return NOTHING
    const { next, isOldClosed } = await this.#openBeside(old, settings)
    return {
      commit: () => {
        this.#serving = next
        if (old && !isOldClosed) retire(old.server)
      },
      discard: async () => {
        if (next) retire(next.server)
        if (old && isOldClosed) await this.#reopen(old.settings)
      },
    }
  }

  close(): void {
    const server = this.#serving?.server
    this.#serving = undefined
    server?.close()
    server?.closeAllConnections()
  }

  // One port on two addresses that overlap cannot be had at once: nobody misses the old one for the moment that it takes.
  async #openBeside(old: Serving | undefined, settings: AdminConfig) {
    try {
      return { next: await this.#open(settings), isOldClosed: false }
    } catch (error) {
      if (old?.settings.port !== settings.port || !isAddressInUse(error)) throw error
    }
    retire(old.server)
    try {
      return { next: await this.#open(settings), isOldClosed: true }
    } catch (error) {
      await this.#reopen(old.settings)
      throw error
    }
  }

  async #reopen(settings: AdminConfig): Promise<void> {
    this.#serving = undefined
    try {
      this.#serving = await this.#open(settings)
    } catch (error) {
      this.#logger.error({ err: error }, 'the admin listener is gone')
    }
  }

  async #open(settings: AdminConfig): Promise<Serving | undefined> {
    const socket = await bindAdmin(settings)
    return socket && this.#serve(settings, socket)
  }

  async #serve(settings: AdminConfig, socket: BoundSocket): Promise<Serving> {
    const server = createAdminServer(this.#answers, this.#logger)
    server.listen(socket.handle, BACKLOG)
    try {
      await once(server, 'listening')
    } catch (cause) {
      socket.close()
      const address = formatAddress(settings.host, settings.port)
      throw new Error(`admin: cannot listen on ${address}: ${(cause as Error).message}`, { cause })
    }
    server.on('error', (error) => this.#logger.error({ err: error }, 'the admin listener failed'))
    return { settings, server }
  }
}

/** Lets requests under way end. */
function retire(server: Server): void {
  server.close()
  server.closeIdleConnections()
}

function isSame(a: AdminConfig | undefined, b: AdminConfig): boolean {
  if (a === undefined) return b.port === 0
  return a.host === b.host && a.port === b.port
}
