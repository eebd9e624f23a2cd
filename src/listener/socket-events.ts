import type { Socket } from 'node:net'

const LISTENER = Symbol('listener of a socket')

/** What is told of a client's socket. */
export interface SocketListener {
  /** Of a socket that is not read into a buffer of ours. */
  arrived(bytes: Buffer): void
  drained(): void
  clientEnded(): void
  timedOut(): void
  /** Last call. */
  closed(): void
}

// The functions are shared by all sockets and find their listener through the socket: idle connections are many.
interface HeardSocket extends Socket {
  [LISTENER]?: SocketListener
}

export function attach(socket: HeardSocket, listener: SocketListener): void {
  socket[LISTENER] = listener
  socket.on('close', onClose)
  socket.on('end', onEnd)
  socket.on('error', ignoreError)
  socket.on('drain', onDrain)
  socket.on('timeout', onTimeout)
}

export function attachToData(socket: HeardSocket): void {
  socket.on('data', onData)
}

/** Listens for the end alone: the socket is somebody else's, and as good as new. */
export function release(socket: HeardSocket): void {
  socket.off('data', onData)
  socket.off('end', onEnd)
  socket.off('drain', onDrain)
  socket.off('timeout', onTimeout)
  socket.setTimeout(0)
  // As node:http does it: what comes waits until somebody listens.
  Object.assign(socket, { readableFlowing: null })
}

function onData(this: HeardSocket, bytes: Buffer): void {
  this[LISTENER]?.arrived(bytes)
}

function onDrain(this: HeardSocket): void {
  this[LISTENER]?.drained()
}

function onEnd(this: HeardSocket): void {
  this[LISTENER]?.clientEnded()
}

function onTimeout(this: HeardSocket): void {
  this[LISTENER]?.timedOut()
}

function onClose(this: HeardSocket): void {
  this[LISTENER]?.closed()
}

/** 'close' follows and tells the rest. */
function ignoreError(): void {}
