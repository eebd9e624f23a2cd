import type { Socket } from 'node:net'
import type { ReadBuffer } from '../http1/read-buffer.ts'
import type { MemoryPool } from './memory-pool.ts'

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * What came from a client and was not taken yet: the rest of a body that nobody wants to go on with, or requests behind the
 * one that is being answered. Once more comes while some of it waits, the client is not read.
 */
export class UnreadBytes {
  bytes = NOTHING
  /** Of the first one. */
  at = 0
  end = 0
  readonly #socket: Socket
  readonly #buffer: ReadBuffer
  readonly #pool: MemoryPool
  /** Where `bytes` are, if in memory of the pool. */
  #pooled: Buffer | undefined
  #isPaused = false

  constructor(socket: Socket, buffer: ReadBuffer, pool: MemoryPool) {
    this.#socket = socket
    this.#buffer = buffer
    this.#pool = pool
  }

  get isEmpty(): boolean {
    return this.at >= this.end
  }

  /** Adds bytes that are valid until `keep`. */
  offer(bytes: Buffer, start: number, end: number): void {
    if (this.isEmpty) {
      this.bytes = bytes
      this.at = start
      this.end = end
      return
    }
    this.bytes = Buffer.concat([this.bytes.subarray(this.at, this.end), bytes.subarray(start, end)])
    this.at = 0
    this.end = this.bytes.length
    this.#pooled = undefined
    this.pause()
  }

  /** To be called before the offered bytes become invalid. */
  keep(): void {
    if (this.isEmpty) this.clear()
    else if (this.bytes === this.#buffer.current) {
      this.#pooled = this.#pool.copy(this.bytes, this.at, this.end)
      this.bytes = this.#pooled ?? this.#buffer.take(this.bytes, this.at, this.end)
      this.end -= this.at
      this.at = 0
    }
  }

  /** A request is over; `isConsumed`: nobody needs what was copied out of it. */
  reuse(isConsumed: boolean): void {
    const memory = this.#pooled
    if (memory === undefined) return
    if (isConsumed && !this.isEmpty) return
    this.#pooled = undefined
    if (isConsumed) this.#pool.giveBack(memory)
  }

  /** A part of the bytes, for as long as anybody wants it. */
  copy(bytes: Buffer, start: number, end: number): Buffer {
    return this.#buffer.take(bytes, start, end)
  }

  clear(): void {
    this.bytes = NOTHING
    this.at = 0
    this.end = 0
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.resume()
  }
}
