import type { Server } from 'node:net'

/** The kernel's socket as net.Server holds it. */
interface ListeningHandle {
  onconnection?: unknown
}

type OnConnection = (this: ListeningHandle, errno: number, handle?: object) => void

/**
 * Hands over connections as the kernel gives them, before a socket was made of them: there is no documented way to have the
 * sockets of a server read into a buffer that is used again (`onread`, nodejs/node#25436, is for clients). Without it each
 * read gets memory of its own, a sixth of the CPU time of a bare answer. False where this Node keeps them to itself, and tells
 * of them by 'connection'.
 */
export function takeConnections(server: Server, accepted: (handle: object) => void): boolean {
  const { _handle: listening } = server as unknown as { readonly _handle?: ListeningHandle }
  const original = listening?.onconnection
  if (listening === undefined || typeof original !== 'function') return false
  const own: OnConnection = function onConnection(errno, handle) {
    // An error is told by the server.
    if (handle === undefined) (original as OnConnection).call(this, errno, handle)
    else accepted(handle)
  }
  listening.onconnection = own
  return true
}
