import type { ClientLimits, ClientTimeouts } from '../config/config.ts'
import type { ClientAddress, Exchange, UpgradeExchange } from '../exchange.ts'
import type { Reason } from '../reason.ts'

/** What a listener could not make an exchange of; it answered and closed the connection itself. */
export interface RejectedRequest {
  readonly client: ClientAddress
  readonly reason: Reason
  readonly status: number
  /** What was wrong, for the log: never shown to the client. */
  readonly detail: string
  /** As far as they were read. */
  readonly method: string | undefined
  readonly target: string | undefined
}

export interface ListenerHandler {
  exchange(exchange: Exchange): void
  upgrade(exchange: UpgradeExchange): void
  rejected(request: RejectedRequest): void
}

export interface ListenerSettings {
  readonly timeouts: ClientTimeouts
  readonly limits: ClientLimits
}

/** Accepts connections on one bound socket and turns requests into exchanges. */
export interface Listener {
  readonly connections: number
  /** Takes effect for connections and requests that begin after it. */
  apply(settings: ListenerSettings): void
  /**
   * Stops accepting. Kept connections are answered `Connection: close` with their next response; idle ones are
   * closed when `graceMs` is over. Resolves when no connection is left; tunnels are the caller's and not counted.
   */
  drain(graceMs: number): Promise<void>
  /** Cuts every connection that is left. */
  destroy(): void
}
