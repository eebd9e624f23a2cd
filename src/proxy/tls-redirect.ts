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
  const name = host.includes(':') ? `[${host}]` : host
  const port = tlsPort === HTTPS_PORT ? '' : `:${tlsPort}`
  return `https://${name}${port}${parsed.kind === 'path' ? parsed.uri : '/'}`
}
