import type { Socket } from 'node:net'
import type { BodySink, BodySource } from '../../exchange.ts'
import type { HeaderList } from '../../header-list.ts'
import type { Reason } from '../../reason.ts'
import { RequestBodyError, toError } from '../failure.ts'
import { renderLastChunk } from './request-head.ts'

export interface UploadHost {
  /** A part was handed to the socket, or left it, or it was the last one. */
  uploadMoved(): void
  uploadFailed(error: Error): void
}

/** Sends a request that has a body, no faster than the backend takes it. */
export class Upload implements BodySink {
  readonly #source: BodySource
  readonly #socket: Socket
  readonly #host: UploadHost
  #sentBytes = 0
  #isFull = false
  #hasEnded = false

  constructor(source: BodySource, socket: Socket, host: UploadHost) {
    this.#source = source
    this.#socket = socket
    this.#host = host
  }

  /** The last byte was handed to the socket. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** It is the backend that takes no more. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** What the source has at hand goes out in one write with the head. */
  start(head: string): void {
    const socket = this.#socket
    socket.cork()
    socket.write(head, 'latin1')
    this.#source.start(this)
    process.nextTick(uncork, socket)
  }

  /** Takes nothing more from the source. */
  stop(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#source.pause()
  }

  drained(): void {
    if (!this.#isFull) return
    this.#isFull = false
    if (!this.#hasEnded) this.#source.resume()
    this.#host.uploadMoved()
  }

  data(chunk: Buffer): void {
    // An empty chunk would be the last one.
    if (this.#hasEnded || chunk.length === 0) return
    const { lengthBytes } = this.#source
    this.#sentBytes += chunk.length
    if (lengthBytes === undefined) {
      this.#writeChunk(chunk)
    } else if (this.#sentBytes <= lengthBytes) {
      this.#socket.write(chunk)
    } else {
      this.#host.uploadFailed(new Error(`request body is longer than the announced ${lengthBytes} bytes`))
      return
    }
    this.#noteRoom()
    // The backend may answer the last byte before the source has told its end.
    if (this.#sentBytes === lengthBytes) this.#hasEnded = true
    else if (this.#isFull) this.#source.pause()
    this.#host.uploadMoved()
  }

  hasConsumed(): boolean {
    return this.#socket.writableLength === 0
  }

  end(trailers: HeaderList): void {
    if (this.#hasEnded) return
    const { lengthBytes } = this.#source
    if (lengthBytes !== undefined) {
      const error = new Error(`request body ended at ${this.#sentBytes} of ${lengthBytes} bytes`)
      this.#host.uploadFailed(error)
      return
    }
    try {
      this.#socket.write(renderLastChunk(trailers), 'latin1')
    } catch (error) {
      this.#host.uploadFailed(toError(error))
      return
    }
    this.#noteRoom()
    this.#hasEnded = true
    this.#host.uploadMoved()
  }

  fail(reason: Reason, cause?: Error): void {
    if (!this.#hasEnded) this.#host.uploadFailed(new RequestBodyError(reason, cause))
  }

  #writeChunk(chunk: Buffer): void {
    const socket = this.#socket
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    socket.write('\r\n', 'latin1')
    socket.uncork()
  }

  /** What `write` answers counts bytes that the kernel takes at once as waiting. */
  #noteRoom(): void {
    const { writableLength, writableHighWaterMark } = this.#socket
    this.#isFull = writableLength >= writableHighWaterMark
  }
}

function uncork(socket: Socket): void {
  socket.uncork()
}
