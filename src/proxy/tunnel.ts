import type { Duplex } from 'node:stream'
import type { Reason } from '../reason.ts'
import { MAX_TIMER_MS } from '../timer.ts'
import { type SideOwner, TunnelSide } from './tunnel-side.ts'
import { createFrameTracker } from './websocket-frames.ts'

/** From the first FIN, or the loss of one socket, to the end of both: a deaf peer cannot hold the other for longer. */
const LINGER_MS = 10_000
/** How long each of the two steps of `close` waits for its answer. */
const ANSWER_MS = 1_000
/** Node fires at once what is due later than this. */

/** `closed`: the peers ended it in order, by a Close handshake or a FIN. */
export type TunnelReason = 'closed' | Extract<Reason, 'idle_timeout' | 'client_gone' | 'backend_reset' | 'draining'>

export interface TunnelResult {
  readonly reason: TunnelReason
  /** Bytes of the client that were passed on to the backend. */
  readonly bytesIn: number
  /** Bytes of the backend that were passed on to the client. */
  readonly bytesOut: number
}

export interface TunnelOptions {
  /** Both may be destroyed already, or fail at any time. They belong to the tunnel from now on. */
  readonly client: Duplex
  readonly backend: Duplex
  /** Bytes that were read past the request head: the first that the backend gets. */
  readonly clientFirst: Buffer
  /** Bytes that came with the response head: the first that the client gets. */
  readonly backendFirst: Buffer
  /** Longest silence of both sides together, in milliseconds; 0 means no limit. */
  readonly idleMs: number
  /** The new protocol is WebSocket, so that Close frames can be sent; else `close` sends FIN only. */
  readonly websocket: boolean
  /** Called exactly once, never before `createTunnel` returned, when both sockets are closed and let go of. */
  onClose(result: TunnelResult): void
}

/** Two spliced sockets after an upgrade. */
export interface Tunnel {
  /**
   * Ends the tunnel as `draining`. The client is sent a Close frame with this code (1001, Going Away: RFC 6455 §7.4.1)
   * at the next frame boundary and nothing after it; what it sent before its answer, and the answer, still reach the
   * backend. A side that was not told within a second by its peer's Close is sent one of ours, and a second later the
   * sockets are cut. Both spans begin anew while a frame that holds up a Close still moves.
   */
  close(code: number): void
  /** Cuts both sockets at once. Without effect on a tunnel that ended. */
  destroy(reason: TunnelReason): void
}

/**
 * Splices two sockets: bytes pass unchanged and in order, a full socket pauses the reading of the other, FIN is passed
 * on behind the last byte, and the loss of one socket ends the other after what it still had to get.
 */
export function createTunnel(options: TunnelOptions): Tunnel {
  return new Splice(options)
}

class Splice implements Tunnel, SideOwner {
  #phase: 'open' | 'lingering' | 'closing' | 'insisting' | 'over' = 'open'
  /** Leads to the backend too; undefined once both are closed. */
  #client: TunnelSide | undefined
  #timer: NodeJS.Timeout | undefined
  #reason: TunnelReason | undefined
  #closeCode = 0
  readonly #onClose: TunnelOptions['onClose']

  constructor(options: TunnelOptions) {
    const createFrames = () => (options.websocket ? createFrameTracker() : undefined)
    const client = new TunnelSide(this, options.client, false, createFrames())
    const backend = new TunnelSide(this, options.backend, true, createFrames())
    client.peer = backend
    backend.peer = client
    this.#client = client
    this.#onClose = options.onClose
    if (options.idleMs > 0) this.#startTimer(options.idleMs)
    client.forward(options.clientFirst)
    backend.forward(options.backendFirst)
    client.begin()
    backend.begin()
  }

  close(code: number): void {
    const client = this.#client
    if (client === undefined || (this.#phase !== 'open' && this.#phase !== 'lingering')) return
    this.#reason ??= 'draining'
    this.#phase = 'closing'
    this.#closeCode = code
    this.#startTimer(ANSWER_MS)
    // Where the client began a Close handshake, the backend's answer is worth more than a word of ours.
    if (!client.frames?.closePassed) client.tell(code)
    this.#settle(client)
  }

  destroy(reason: TunnelReason): void {
    const client = this.#client
    if (client === undefined || this.#phase === 'over') return
    this.#reason ??= reason
    this.#phase = 'over'
    clearTimeout(this.#timer)
    client.socket.destroy()
    client.peer.socket.destroy()
  }

  received(side: TunnelSide, chunk: Buffer): void {
    this.#noteProgress(side)
    side.forward(chunk)
    if (this.#isParting()) this.#settle(side)
  }

  drained(side: TunnelSide): void {
    this.#noteProgress(side.peer)
  }

  ended(side: TunnelSide): void {
    this.#reason ??= 'closed'
    this.#linger()
    this.#endWriting(side.peer)
    if (this.#isParting()) this.#settle(side)
  }

  closed(side: TunnelSide): void {
    const { peer } = side
    if (!side.socket.readableEnded) this.#reason ??= reasonOfLoss(side)
    if (peer.isClosed) this.#finish()
    else if (this.#phase !== 'over') {
      this.#linger()
      peer.discard()
      this.#endWriting(peer)
    }
  }

  expire(): void {
    if (this.#phase === 'closing') this.#insist()
    else this.destroy(this.#phase === 'open' ? 'idle_timeout' : 'closed')
  }

  /** The client did not answer, or a handshake that was under way did not end: both sides are told by us. */
  #insist(): void {
    const client = this.#client
    if (client === undefined) return
    this.#phase = 'insisting'
    this.#startTimer(ANSWER_MS)
    if (!client.isTold) client.tell(this.#closeCode)
    if (!client.peer.isTold) client.peer.tell(this.#closeCode)
    this.#settle(client)
  }

  /** While parting, FIN goes to a side when it has answered the Close that went to it. */
  #settle(side: TunnelSide): void {
    if (side.isTold && side.hasAnswered) side.socket.end()
    if (side.peer.isTold && side.peer.hasAnswered) side.peer.socket.end()
  }

  #endWriting(side: TunnelSide): void {
    if (this.#isParting() && side.isTold && !side.hasAnswered) return
    side.socket.end()
  }

  #isParting(): boolean {
    return this.#phase === 'closing' || this.#phase === 'insisting'
  }

  #linger(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'lingering'
    this.#startTimer(LINGER_MS)
  }

  #noteProgress(side: TunnelSide): void {
    if (this.#phase === 'open' || side.isFinishingFrame) this.#timer?.refresh()
  }

  #startTimer(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(expire, Math.min(ms, MAX_TIMER_MS), this)
  }

  #finish(): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    this.#phase = 'over'
    clearTimeout(this.#timer)
    const reason = this.#reason ?? 'closed'
    this.#onClose({ reason, bytesIn: client.passedBytes, bytesOut: client.peer.passedBytes })
  }
}

function expire(tunnel: Splice): void {
  tunnel.expire()
}

/** After both Close frames (RFC 6455 §7.1.4) it no longer matters how a connection ends. */
function reasonOfLoss(side: TunnelSide): TunnelReason {
  if (side.frames?.closePassed && side.peer.frames?.closePassed) return 'closed'
  return side.isBackend ? 'backend_reset' : 'client_gone'
}
