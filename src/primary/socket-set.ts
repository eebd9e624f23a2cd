import { formatAddress } from '../address.ts'
import type { ListenAddress } from '../config/config.ts'
import { type BoundSocket, bindSocket, isAddressInUse } from './bound-socket.ts'

/** Bound sockets in the order of a configuration's `server.listen`. */
export type SocketSet = readonly BoundSocket[]

/**
 * The sockets for these addresses: those of `existing` that fit are kept, the rest is bound. A port 0 keeps the port that
 * it was given once. Throws with nothing new left bound where one address cannot be had.
 */
export async function bindSockets(listen: readonly ListenAddress[], existing: SocketSet): Promise<SocketSet> {
  const free = [...existing]
  const fresh: BoundSocket[] = []
  try {
    const sockets: BoundSocket[] = []
    for (const { host, port } of listen) {
      const kept = takeMatching(free, host, port)
      const socket = kept ?? (await bindBeside(existing, host, port))
      if (!kept) fresh.push(socket)
      sockets.push(socket)
    }
    return sockets
  } catch (error) {
    closeSockets(fresh)
    throw error
  }
}

/** Closes those of `sockets` that `kept` has not. */
export function closeSockets(sockets: SocketSet, kept: SocketSet = []): void {
  for (const socket of sockets) if (!kept.includes(socket)) socket.close()
}

export function areSameSockets(a: SocketSet, b: SocketSet): boolean {
  return a.length === b.length && a.every((socket, index) => socket === b[index])
}

function takeMatching(free: BoundSocket[], host: string, port: number): BoundSocket | undefined {
  const index = free.findIndex((socket) => socket.host === host && socket.configuredPort === port)
  return index === -1 ? undefined : free.splice(index, 1)[0]
}

// The old address serves until the new one does, and the kernel does not give out 0.0.0.0:80 beside 127.0.0.1:80.
async function bindBeside(existing: SocketSet, host: string, port: number): Promise<BoundSocket> {
  try {
    return await bindSocket(host, port)
  } catch (error) {
    const own = existing.find((socket) => socket.port === port)
    if (!own || !isAddressInUse(error)) throw error
    const address = formatAddress(host, port)
    const ownAddress = formatAddress(own.host, own.port)
    throw new Error(
      `cannot listen on ${address} beside ${ownAddress}, which is being served: stop and start to change the address`,
      { cause: error },
    )
  }
}
