import { Socket, type SocketConstructorOpts } from 'node:net'
import { ReadBuffer } from '../http1/read-buffer.ts'

export interface ByteReceiver {
  /** More of a body is to come. */
  readonly isInBody: boolean
  /** Nobody needs the memory of the bytes any more that were received so far. */
  readonly hasConsumed: boolean
  /** The bytes are valid during the call only. False: no more of them for now. */
  received(bytes: Buffer, start: number, end: number): boolean
}

/** Where the bytes of a client connection are read into, and who gets them. */
export class ClientInput {
  readonly buffer: ReadBuffer
  receiver: ByteReceiver | undefined
  #lastReadBytes = 0

  /** `sharedBuffer` serves all connections whose bytes are read in turns. */
  constructor(sharedBuffer: Buffer) {
    this.buffer = new ReadBuffer(sharedBuffer)
  }

  /** A socket for an accepted connection; it emits no 'data' of its own, what is to come of it has to be pushed. */
  open(handle: object): Socket {
    const onread = { buffer: () => this.#turn(), callback: (count: number) => this.#read(count) }
    // Node's own servers open their sockets in this way; its types do not know of it.
    const options = { handle, allowHalfOpen: true, onread }
    return new Socket(options as SocketConstructorOpts)
  }

  /** From now on the bytes are the socket's own, for whoever listens to it. */
  passOn(socket: Socket): void {
    this.receiver = {
      isInBody: false,
      hasConsumed: false,
      received: (bytes, start, end) => socket.push(Buffer.from(bytes.subarray(start, end))),
    }
  }

  #turn(): Buffer {
    const isFree = this.buffer.isTaken && this.receiver?.hasConsumed === true
    return this.buffer.turn(this.#lastReadBytes, this.receiver?.isInBody === true, isFree)
  }

  #read(count: number): boolean {
    this.#lastReadBytes = count
    return this.receiver?.received(this.buffer.current, 0, count) !== false
  }
}
