import type { Socket } from 'node:net'
import type { ClientAddress } from '../exchange.ts'
import { intern } from '../intern.ts'

/** An IPv4 client of an IPv6 socket (RFC 4291 §2.5.5.2) is given as IPv4; '' and 0 where the client is gone already. */
export function addressOf(socket: Socket, localPort: number, encrypted: boolean): ClientAddress {
  const { remoteAddress: given = '', remotePort = 0 } = socket
  const address = given.startsWith('::ffff:') && given.includes('.') ? given.slice(7) : given
  return {
    remoteAddress: intern(address),
    remotePort,
    localPort,
    encrypted,
  }
}
