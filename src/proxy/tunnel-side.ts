import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { closeFrame, type FrameTracker } from './websocket-frames.ts'

const SIDE = Symbol('side of a tunnel')

/** What a side reports, in the order in which it happens; `closed` is the last call and comes once. */
export interface SideOwner {
  received(side: TunnelSide, chunk: Buffer): void
  drained(side: TunnelSide): void
  ended(side: TunnelSide): void
  closed(side: TunnelSide): void
}

// The listeners below are shared by all tunnels and find their side through the socket: idle tunnels are many.
interface SplicedSocket extends Duplex {
  [SIDE]?: TunnelSide | undefined
}

/** One socket of a tunnel, and what is to become of the bytes that it sends. */
export class TunnelSide {
  readonly socket: Duplex
  readonly isBackend: boolean
  /** Of the bytes that this side sends; undefined where they are no WebSocket frames. */
  readonly frames: FrameTracker | undefined
  peer: TunnelSide = this
  /** Bytes of this side that were passed on. */
  passedBytes = 0
  isClosed = false
  readonly #owner: SideOwner
  /** 'frame': the rest of the current frame, and then a Close of ours to the peer. */
  #passes: 'all' | 'frame' | 'nothing' = 'all'
  #closeCode = 0
  #gotOurClose = false

  constructor(owner: SideOwner, socket: Duplex, isBackend: boolean, frames: FrameTracker | undefined) {
    this.#owner = owner
    this.socket = socket
    this.isBackend = isBackend
    this.frames = frames
    listen(socket, this)
  }

  /** A frame of this side holds up a Close to the peer. */
  get isFinishingFrame(): boolean {
    return this.#passes === 'frame'
  }

  /** A Close frame went to this side, ours or its peer's. */
  get isTold(): boolean {
    return this.#gotOurClose || this.peer.frames?.closePassed === true
  }

  /** Its own Close frame passed, or its FIN. */
  get hasAnswered(): boolean {
    return this.frames?.closePassed === true || this.socket.readableEnded
  }

  /** Reports anew what happened to the socket before it came here; else lets it flow. */
  begin(): void {
    if (this.socket.closed) process.nextTick(onClose.bind(this.socket))
    else if (this.socket.readableEnded) this.#owner.ended(this)
    else if (!this.peer.socket.writableNeedDrain) this.socket.resume()
  }

  received(chunk: Buffer): void {
    this.#owner.received(this, chunk)
  }

  drained(): void {
    this.peer.socket.resume()
    this.#owner.drained(this)
  }

  ended(): void {
    this.#owner.ended(this)
  }

  closed(): void {
    this.isClosed = true
    release(this.socket)
    this.#owner.closed(this)
  }

  /** Passes on what may still go to the peer of what this side sent. */
  forward(chunk: Buffer): void {
    if (this.#passes === 'frame' && this.frames !== undefined) {
      this.#forwardFrame(chunk, this.frames)
      return
    }
    this.frames?.advance(chunk)
    if (this.#passes === 'all') this.#write(chunk)
  }

  /** What this side sends has nowhere to go: it is read for its end only. */
  discard(): void {
    this.#passes = 'nothing'
    // It may have been paused for the peer.
    this.socket.resume()
  }

  /**
   * Sends this side a Close frame once its peer's current frame has passed; nothing of the peer's passes after that.
   * It is FIN alone where boundaries are unknown, and nothing where a Close of the peer's went before.
   */
  tell(code: number): void {
    const { frames } = this.peer
    if (frames?.position === 'inside') {
      this.peer.#passes = 'frame'
      this.peer.#closeCode = code
      return
    }
    this.peer.discard()
    if (frames?.closePassed || !this.socket.writable) return
    if (frames?.position === 'boundary') {
      this.socket.write(closeFrame(code, { mask: this.isBackend }))
      this.#gotOurClose = true
    } else this.socket.end()
  }

  #forwardFrame(chunk: Buffer, frames: FrameTracker): void {
    const length = frames.advanceToBoundary(chunk)
    this.#write(chunk.subarray(0, length))
    if (frames.position === 'inside') return
    this.peer.tell(this.#closeCode)
    frames.advance(chunk.subarray(length))
  }

  #write(chunk: Buffer): void {
    const { socket } = this.peer
    if (chunk.length === 0 || !socket.writable) return
    this.passedBytes += chunk.length
    if (!socket.write(chunk)) this.socket.pause()
  }
}

function listen(socket: SplicedSocket, side: TunnelSide): void {
  socket[SIDE] = side
  socket.on('error', onError)
  socket.on('close', onClose)
  socket.on('end', onEnd)
  socket.on('drain', onDrain)
  socket.on('data', onData)
  // Else Node answers a FIN with a FIN of its own before the other side said its last.
  socket.allowHalfOpen = true
  if (!(socket instanceof Socket)) return
  // Left over from HTTP: its timeouts would end the tunnel.
  socket.setTimeout(0)
  socket.setNoDelay(true)
}

function release(socket: SplicedSocket): void {
  socket[SIDE] = undefined
  socket.off('error', onError)
  socket.off('close', onClose)
  socket.off('end', onEnd)
  socket.off('drain', onDrain)
  socket.off('data', onData)
}

function onData(this: SplicedSocket, chunk: Buffer): void {
  this[SIDE]?.received(chunk)
}

function onDrain(this: SplicedSocket): void {
  this[SIDE]?.drained()
}

function onEnd(this: SplicedSocket): void {
  this[SIDE]?.ended()
}

/** 'close' follows and tells the rest. */
function onError(this: SplicedSocket): void {
  this.destroy()
}

function onClose(this: SplicedSocket): void {
  this[SIDE]?.closed()
}
