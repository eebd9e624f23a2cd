import type { Socket } from 'node:net'
import type { ClientAddress } from '../exchange.ts'

/** An IPv4 client of an IPv6 socket (RFC 4291 §2.5.5.2) is given as IPv4; '' and 0 where the client is gone already. */
export function addressOf(socket: Socket, localPort: number, encrypted: boolean): ClientAddress {
  const { remoteAddress = '', remotePort = 0 } = socket
  return {
    remoteAddress:
      remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.') ? remoteAddress.slice(7) : remoteAddress,
    remotePort,
    localPort,
    encrypted,
  }
}
