import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** All of them came in one read, since nothing is read while one waits. */
const MAX_WAITING = 256

export interface WaitingRequest {
  readonly message: IncomingMessage
  readonly response: ServerResponse
}

/** Pipelined requests (RFC 9112 §9.3.2) that wait for the one before them; the client is not read meanwhile. */
export class RequestQueue {
  readonly #socket: Socket
  #waiting: WaitingRequest[] = []
  #holdsSocket = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** False: it is full. */
  push(request: WaitingRequest): boolean {
    if (this.#waiting.length === MAX_WAITING) return false
    this.#waiting.push(request)
    this.#hold()
    return true
  }

  shift(): WaitingRequest | undefined {
    const next = this.#waiting.shift()
    if (next !== undefined && this.isEmpty) this.#socket.resume()
    return next
  }

  /** Takes out the last one where its body did not arrive in full. */
  dropUnfinished(): void {
    if (this.#waiting.at(-1)?.message.complete === false) this.#waiting.pop()
  }

  clear(): void {
    this.#waiting = []
  }

  #hold(): void {
    if (!this.#holdsSocket) {
      this.#holdsSocket = true
      // Node resumes the socket at the end of every request that it parsed.
      this.#socket.on('resume', () => {
        if (!this.isEmpty) this.#socket.pause()
      })
    }
    this.#socket.pause()
  }
}
