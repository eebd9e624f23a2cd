import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Reason } from '../reason.ts'

/** How long, and for how many bytes, a client that was told of the end may still send before it is cut off. */
const LINGER_MS = 5_000
const LINGER_BYTES = 64 * 1024 * 1024
/**
 * A client that ended its side waits for its answer, or went away: the two look alike until something is written to it.
 * It is taken for gone when no response moved for this long.
 */
const HALF_CLOSED_MS = 2_000

/** The ways in which a client connection ends. */
export class ConnectionEnd {
  readonly #socket: Socket
  #cutReason: Reason | undefined
  #lingerUntilMs = 0
  #lingerUntilBytes = 0
  #clientEnded = false
  #stillSinceMs = 0
  #stillAtBytes = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Why the connection closed before its last response was sent. */
  get reason(): Reason {
    return this.#cutReason ?? 'client_gone'
  }

  /** The client sent FIN: it may still read. */
  get clientEnded(): boolean {
    return this.#clientEnded
  }

  /** At once. `reset` where a FIN could be taken for the end of a response. */
  cut(reason: Reason, reset: boolean): void {
    this.#cutReason ??= reason
    // Over TLS the missing close_notify says the same (RFC 8446 §6.1).
    if (reset && !(this.#socket instanceof TLSSocket)) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  /**
   * Ends our side when everything is written and throws away what the client still sends (RFC 9112 §9.6): bytes that nobody
   * reads are answered by a reset, and that can reach the client before it read its response.
   */
  linger(): void {
    this.#lingerUntilMs = performance.now() + LINGER_MS
    this.#lingerUntilBytes = this.#socket.bytesRead + LINGER_BYTES
    this.#socket.end()
    this.#socket.resume()
  }

  noteClientEnd(): void {
    this.#clientEnded = true
    this.#stillSinceMs = performance.now()
    this.#stillAtBytes = this.#socket.bytesWritten
  }

  /** Called every fraction of a second; `awaitsResponse`: an exchange is under way. */
  check(nowMs: number, awaitsResponse: boolean): void {
    if (this.#lingerUntilMs > 0) {
      const isOver = nowMs >= this.#lingerUntilMs || this.#socket.bytesRead > this.#lingerUntilBytes
      if (isOver) this.#socket.destroy()
    } else if (this.#clientEnded && awaitsResponse) this.#checkStillness(nowMs)
  }

  #checkStillness(nowMs: number): void {
    const { bytesWritten, writableLength } = this.#socket
    if (bytesWritten !== this.#stillAtBytes || writableLength > 0) {
      this.#stillAtBytes = bytesWritten
      this.#stillSinceMs = nowMs
    } else if (nowMs - this.#stillSinceMs >= HALF_CLOSED_MS) this.cut('client_gone', false)
  }
}
