import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { formatAddress } from '../address.ts'
import type { NativeHandle } from '../ipc/channel.ts'
import { findPortOwner } from './port-owner.ts'

/** A listening address of the daemon. Its port stays taken, and its queue open, until it is closed. */
export interface BoundSocket {
  /** As the configuration has it. */
  readonly host: string
  readonly configuredPort: number
  /** The bound port, also where the configuration says 0. */
  readonly port: number
  readonly handle: NativeHandle
  /** Workers that were given the handle keep theirs. */
  close(): void
}

interface SocketName {
  readonly port: number
}

interface TcpHandle extends NativeHandle {
  /** 0 or a negative errno; also that of a `bind` that libuv has kept back until now. */
  getsockname(name: Partial<SocketName>): number
}

type CreateServerHandle = (
  address: string,
  port: number,
  addressType: 4 | 6,
  fd: undefined,
  flags: number,
) => TcpHandle | number

// A socket that `net.Server` has opened accepts in this process: connections would be taken by the primary, which serves
// nothing. Bound by this function it is opened without that, as node:cluster itself does for shared handles; there is
// no documented way. The first worker that listens puts the kernel's socket into the listening state, and there it stays
// whatever becomes of the workers, because this process has it open.
const { _createServerHandle: createServerHandle } = net as unknown as {
  readonly _createServerHandle: CreateServerHandle
}

/**
 * Takes an address for as long as the daemon lives. `host` is an address or a name, of which the first address counts;
 * port 0 is any free one. Throws an error that names host and port, with the system's error as its cause.
 */
export async function bindSocket(host: string, port: number): Promise<BoundSocket> {
  const { address, family } = await resolveHost(host, port)
  const handle = createServerHandle(address, port, family, undefined, 0)
  if (typeof handle === 'number') throw await describeFailure(host, port, handle)
  const name: Partial<SocketName> = {}
  // libuv keeps EADDRINUSE back until `listen`, which would be in a worker; asking for the name brings it out here.
  const errno = handle.getsockname(name)
  if (errno !== 0 || name.port === undefined) {
    handle.close()
    throw await describeFailure(host, port, errno)
  }
  return { host, configuredPort: port, port: name.port, handle, close: () => handle.close() }
}

/** Whether `bindSocket` failed because something listens there already. */
export function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
}

async function resolveHost(host: string, port: number): Promise<{ address: string; family: 4 | 6 }> {
  try {
    const { address, family } = await lookup(host)
    return { address, family: family === 6 ? 6 : 4 }
  } catch (cause) {
    throw new Error(`cannot listen on ${formatAddress(host, port)}: the name ${host} does not resolve`, { cause })
  }
}

async function describeFailure(host: string, port: number, errno: number): Promise<Error> {
  const code = errno < 0 ? getSystemErrorName(errno) : 'UNKNOWN'
  const message = `cannot listen on ${formatAddress(host, port)}: ${await explain(code, port)}`
  return new Error(message, { cause: Object.assign(new Error(code), { code, errno }) })
}

async function explain(code: string, port: number): Promise<string> {
  switch (code) {
    case 'EADDRINUSE': {
      const owner = await findPortOwner(port)
      return owner ? `the port is in use by ${owner.name} (pid ${owner.pid})` : 'the port is in use by another program'
    }
    case 'EACCES':
      return 'no permission for this port: run as root, or grant CAP_NET_BIND_SERVICE'
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has this address'
    default:
      return code
  }
}
