import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

interface Handshake {
  readonly socket: Socket
  readonly sinceMs: number
}

/** TCP connections that TLS has not answered for yet: node:tls shows them only when they are done, or failed. */
export class TlsHandshakes {
  readonly #pending = new Map<string, Handshake>()
  readonly #emptied: () => void

  constructor(emptied: () => void) {
    this.#emptied = emptied
  }

  get count(): number {
    return this.#pending.size
  }

  begin(socket: Socket): void {
    const key = keyOf(socket)
    this.#pending.set(key, { socket, sinceMs: performance.now() })
    socket.on('close', () => this.#end(key, socket))
  }

  /** The connection below, while it can still be written to. */
  end(secured: TLSSocket): Socket | undefined {
    const key = keyOf(secured)
    const socket = this.#pending.get(key)?.socket
    if (socket !== undefined) this.#end(key, socket)
    return socket
  }

  /** Cuts what takes longer. 0: no limit. */
  check(nowMs: number, limitMs: number): void {
    if (limitMs === 0) return
    for (const { socket, sinceMs } of this.#pending.values()) {
      if (nowMs - sinceMs >= limitMs) socket.destroy()
    }
  }

  destroy(): void {
    for (const { socket } of this.#pending.values()) socket.destroy()
  }

  #end(key: string, socket: Socket): void {
    if (this.#pending.get(key)?.socket !== socket) return
    this.#pending.delete(key)
    if (this.count === 0) this.#emptied()
  }
}

/** One side of the connection is the listener's own. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
