import type { Socket } from 'node:net'
import { ReadBuffer } from '../../http1/read-buffer.ts'
import { Deadline } from './deadline.ts'
import type { Dialer } from './dialer.ts'
import { ResponseReader } from './response-reader.ts'

/** A TLS record holds no more; plain connections share a larger buffer. */
const TLS_READ_BYTES = 16_384

/** Whose request is on the connection. */
export interface ConnectionUser {
  /** TCP stands, TLS begins. */
  handshaking(): void
  opened(): void
  /** The bytes are valid during the call only. */
  received(bytes: Buffer, start: number, end: number): void
  /** True where nobody needs the bytes any more that `take` gave out so far. */
  hasConsumed(): boolean
  /** What was written has left; told only where it had to wait. */
  drained(): void
  /** The backend sends no more. */
  ended(): void
  failed(error: Error): void
  expired(): void
}

/** Whose connection it is. */
export interface ConnectionOwner {
  /** No request is on it any more, and it may carry another one. */
  released(connection: Connection, keptMs: number): void
  /** Told once. */
  closed(connection: Connection): void
}

/** One socket to a backend. Without a user it is idle: whatever comes from the backend then closes it. */
export class Connection {
  readonly socket: Socket
  readonly reader = new ResponseReader()
  readonly #owner: ConnectionOwner
  readonly #buffer: ReadBuffer
  readonly #deadline = new Deadline(() => this.#onExpired())
  #user: ConnectionUser | undefined
  #lastReadBytes = 0
  #isOpen = false
  #isHeld = false
  /** Decrypted in spite of a pause. */
  #waiting: Buffer | undefined
  #hasEnded = false
  #isClosed = false

  /** Dials at once; throws where the backend's settings cannot be used. `sharedBuffer` serves all plain connections. */
  constructor(owner: ConnectionOwner, dialer: Dialer, sharedBuffer: Buffer, user: ConnectionUser) {
    this.#owner = owner
    this.#user = user
    // Decrypting may hand bytes over from within a write as well, so that two connections could meet in one buffer.
    this.#buffer = new ReadBuffer(dialer.usesTls ? Buffer.allocUnsafeSlow(TLS_READ_BYTES) : sharedBuffer)
    const socket = dialer.dial({
      buffer: () => this.#turnBuffer(),
      callback: (count) => this.#onRead(count),
    })
    this.socket = socket
    if (dialer.usesTls) {
      socket.on('connect', () => this.#user?.handshaking())
      socket.on('secureConnect', () => this.#onOpen())
    } else {
      socket.on('connect', () => this.#onOpen())
    }
    socket.on('drain', () => this.#user?.drained())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onEnd())
    socket.on('error', (error) => {
      this.#user?.failed(error)
      this.destroy()
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  assign(user: ConnectionUser): void {
    this.#user = user
  }

  /** Tells `expired` that long from now unless it is called again; 0: never. */
  limit(ms: number): void {
    this.#deadline.set(ms)
  }

  /** Nothing more is received until `resume`. */
  hold(): void {
    this.#isHeld = true
  }

  resume(): void {
    this.#isHeld = false
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.#deliver(waiting, waiting.length)
    if (this.#isHeld || this.#isClosed) return
    if (this.#hasEnded) this.#onEnd()
    else this.socket.resume()
  }

  /** Bytes that were just received, for as long as anybody wants them. */
  take(bytes: Buffer, start: number, end: number): Buffer {
    return this.#buffer.take(bytes, start, end)
  }

  /** The response to the user's request is over, and the user gone. */
  release(keptMs: number): void {
    this.#user = undefined
    this.#isHeld = false
    this.#deadline.clear()
    if (this.socket.writableLength === 0) {
      this.#owner.released(this, keptMs)
      return
    }
    // The kernel's word on the last bytes may come later in this turn than the response to them.
    setImmediate(() => {
      if (this.#isClosed) return
      if (this.socket.writableLength === 0) this.#owner.released(this, keptMs)
      else this.destroy()
    })
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#user = undefined
    this.#waiting = undefined
    this.#deadline.stop()
    this.socket.destroy()
    this.#owner.closed(this)
  }

  #onOpen(): void {
    this.#isOpen = true
    this.#user?.opened()
  }

  #turnBuffer(): Buffer {
    const isFree = this.#buffer.isTaken && this.#user?.hasConsumed() === true
    return this.#buffer.turn(this.#lastReadBytes, !this.reader.isOver, isFree)
  }

  #onRead(count: number): boolean {
    this.#lastReadBytes = count
    const { current } = this.#buffer
    if (this.#user === undefined) this.destroy()
    // Bytes that were decrypted already come in spite of a pause.
    else if (this.#isHeld) this.#keep(current, count)
    else this.#deliver(current, count)
    return true
  }

  #deliver(bytes: Buffer, count: number): void {
    this.#user?.received(bytes, 0, count)
    if (this.#isHeld && !this.#isClosed) this.socket.pause()
  }

  #keep(bytes: Buffer, count: number): void {
    const added = bytes.subarray(0, count)
    this.#waiting = Buffer.concat(this.#waiting === undefined ? [added] : [this.#waiting, added])
  }

  /** Also told of a connection that closed without an error. */
  #onEnd(): void {
    this.#hasEnded = true
    if (this.#user === undefined) this.destroy()
    else if (this.#waiting === undefined) this.#user.ended()
  }

  #onExpired(): void {
    if (this.#user === undefined) this.destroy()
    else this.#user.expired()
  }
}
