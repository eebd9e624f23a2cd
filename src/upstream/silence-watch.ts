import type { Socket } from 'node:net'

/**
 * Tells when nothing has moved on a connection for `idleMs`; 0: never. The socket's own timer is used: it counts a
 * byte that the kernel accepts as activity, and so a slow reader is not a silent one.
 */
export class SilenceWatch {
  readonly #idleMs: number
  readonly #onSilence: () => void
  #socket: Socket | undefined

  constructor(idleMs: number, onSilence: () => void) {
    this.#idleMs = idleMs
    this.#onSilence = onSilence
  }

  /** The silence counts from now. */
  begin(socket: Socket): void {
    if (this.#idleMs <= 0) return
    socket.setTimeout(this.#idleMs)
    if (this.#socket !== undefined) return
    this.#socket = socket
    socket.on('timeout', this.#onSilence)
  }

  stop(): void {
    this.#socket?.off('timeout', this.#onSilence)
    this.#socket = undefined
  }
}
