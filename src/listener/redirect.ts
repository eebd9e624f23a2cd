import type { RequestHead, Responder } from '../exchange.ts'
import { REASONS } from '../reason.ts'
import { parseAuthority } from '../routing/authority.ts'
import { parseRequestTarget } from '../routing/request-target.ts'
import type { ListenerHandler } from './listener.ts'

const HTTPS_PORT = 443

/**
 * Sends every request on to the same place behind TLS, with 308: unlike 301 (RFC 9110 §15.4.2) it does not let a client
 * turn a POST into a GET. The host is the one that the client asked for, so it leads nowhere that the client did not name.
 */
export function redirectToTls(handler: ListenerHandler, tlsPort: number): ListenerHandler {
  return {
    exchange: ({ head, responder }) => redirect(head, responder, tlsPort),
    upgrade: ({ head, responder }) => redirect(head, responder, tlsPort),
    rejected: (request) => handler.rejected(request),
  }
}

function redirect(head: RequestHead, responder: Responder, tlsPort: number): void {
  const location = locate(head, tlsPort)
  if (location === undefined) {
    // HTTP/1.0 without Host, or a target that means nothing: there is no place to send the client to.
    const fields = ['Content-Length', '0', 'X-Pyserve-Reason', 'bad_request']
    responder.head({ status: REASONS.bad_request.status, statusText: 'Bad Request', headers: fields })
  } else {
    const fields = ['Location', location, 'Content-Length', '0']
    responder.head({ status: 308, statusText: 'Permanent Redirect', headers: fields })
  }
  responder.end([])
}

function locate({ authority, target }: RequestHead, tlsPort: number): string | undefined {
  const parsed = parseRequestTarget(target)
  const host = parseAuthority(authority)?.host
  if (host === undefined || parsed.kind === 'bad') return undefined
  const name = host.includes(':') ? `[${host}]` : host
  const port = tlsPort === HTTPS_PORT ? '' : `:${tlsPort}`
  return `https://${name}${port}${parsed.kind === 'path' ? parsed.uri : '/'}`
}
