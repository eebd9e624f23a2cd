import { formatAddress, formatHost } from '../address.ts'
import type { RequestHead } from '../exchange.ts'
import { parseAuthority } from '../routing/authority.ts'
import { parseRequestTarget } from '../routing/request-target.ts'

const HTTPS_PORT = 443

/**
 * The same place behind TLS, on the host that the client itself asked for, so that it leads nowhere that the client did
 * not name. Undefined where there is none: HTTP/1.0 without Host, or a target that means nothing.
 */
export function locateOnTls({ authority, target }: RequestHead, tlsPort: number): string | undefined {
  const parsed = parseRequestTarget(target)
  const host = parseAuthority(authority)?.host
  if (host === undefined || parsed.kind === 'bad') return undefined
  const authorityOnTls = tlsPort === HTTPS_PORT ? formatHost(host) : formatAddress(host, tlsPort)
  return `https://${authorityOnTls}${parsed.kind === 'path' ? parsed.uri : '/'}`
}
