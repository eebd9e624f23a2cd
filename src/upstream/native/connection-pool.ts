import type { PoolUse } from '../engine.ts'
import { Connection, type ConnectionOwner, type ConnectionUser } from './connection.ts'
import type { Dialer } from './dialer.ts'

const MAX_IDLE = 1_024

/** The connections to one backend. The one that became idle last is used first, so that those not needed grow old. */
export class ConnectionPool implements ConnectionOwner {
  readonly #dialer: Dialer
  readonly #sharedBuffer: Buffer
  readonly #idle: Connection[] = []
  #busy = 0
  #isRetired = false

  constructor(dialer: Dialer, sharedBuffer: Buffer) {
    this.#dialer = dialer
    this.#sharedBuffer = sharedBuffer
  }

  get use(): PoolUse {
    return { busy: this.#busy, idle: this.#idle.length }
  }

  /** An idle connection, if there is one. */
  take(user: ConnectionUser): Connection | undefined {
    const connection = this.#idle.pop()
    if (connection === undefined) return undefined
    this.#busy++
    connection.assign(user)
    return connection
  }

  /** A new connection, which tells `opened` or `failed`. Throws where the backend's settings cannot be used. */
  dial(user: ConnectionUser): Connection {
    const connection = new Connection(this, this.#dialer, this.#sharedBuffer, user)
    this.#busy++
    return connection
  }

  released(connection: Connection, keptMs: number): void {
    if (this.#isRetired || this.#idle.length >= MAX_IDLE || keptMs <= 0) {
      connection.destroy()
      return
    }
    this.#busy--
    this.#idle.push(connection)
    connection.limit(keptMs)
  }

  closed(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection)
    if (index === -1) this.#busy--
    else this.#idle.splice(index, 1)
  }

  /** Closes the connections that are idle now; those in use are kept again. */
  closeIdle(): void {
    while (this.#idle.length > 0) this.#idle.at(-1)?.destroy()
  }

  /** Closes the idle connections now and the others once they are idle. */
  retire(): void {
    this.#isRetired = true
    this.closeIdle()
  }
}
