import type { Socket } from 'node:net'
import type { Http1Connection } from './http1-connection.ts'

const CONNECTION = Symbol('connection of a socket')

// The listeners are shared by all sockets and find their connection through the socket: idle connections are many.
interface ConnectionSocket extends Socket {
  [CONNECTION]?: Http1Connection
}

export function connectionOf(socket: ConnectionSocket): Http1Connection | undefined {
  return socket[CONNECTION]
}

/** Listens beside node:http, which has its own ears for errors, back-pressure and timeouts. */
export function attach(socket: ConnectionSocket, connection: Http1Connection): void {
  socket[CONNECTION] = connection
  socket.on('close', onClose)
  socket.on('end', onEnd)
}

/** Listens for all of it, once node:http let go of the socket. */
export function takeOver(socket: ConnectionSocket): void {
  socket.on('error', ignoreError)
  socket.on('drain', onDrain)
  socket.on('timeout', onTimeout)
  socket.setTimeout(0)
}

/** Listens for the end alone: the socket is somebody else's. */
export function release(socket: ConnectionSocket): void {
  socket.off('end', onEnd)
  socket.off('drain', onDrain)
  socket.off('timeout', onTimeout)
  socket.setTimeout(0)
}

function onClose(this: ConnectionSocket): void {
  this[CONNECTION]?.closed()
}

function onEnd(this: ConnectionSocket): void {
  this[CONNECTION]?.clientEnded()
}

function onDrain(this: ConnectionSocket): void {
  this[CONNECTION]?.drained()
}

function onTimeout(this: ConnectionSocket): void {
  this[CONNECTION]?.timedOut()
}

/** 'close' follows and tells the rest. */
function ignoreError(): void {}
