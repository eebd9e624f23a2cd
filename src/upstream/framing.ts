import type { HeaderList } from '../header-list.ts'
import type { UpstreamRequest } from './engine.ts'

const CONNECTION_FIELDS = new Set(['connection', 'content-length', 'expect', 'transfer-encoding', 'upgrade'])
const UPGRADE_FORBIDDEN = new Set(['content-length', 'expect', 'transfer-encoding'])
const BODILESS_METHODS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * The field list as it is sent. Framing is always said: node:http sends the body of a chunked GET, HEAD, DELETE,
 * OPTIONS or TRACE unframed where no field asks for more, and what follows the head is then the next request.
 */
export function frameRequest(request: UpstreamRequest): string[] {
  const { body, headers, method } = request
  const chunked = body !== undefined && body.lengthBytes === undefined
  const framed = copyWithout(headers, CONNECTION_FIELDS, chunked)
  if (chunked) framed.push('Transfer-Encoding', 'chunked')
  else if (body !== undefined) framed.push('Content-Length', String(body.lengthBytes))
  else if (!mayLackBody(method)) framed.push('Content-Length', '0')
  return framed
}

/** The field list of a request that asks for another protocol: it keeps Connection and Upgrade, and has no body. */
export function frameUpgrade(headers: HeaderList): string[] {
  return copyWithout(headers, UPGRADE_FORBIDDEN, false)
}

/** RFC 9110 §8.6: such a request without a body need not say so. */
export function mayLackBody(method: string): boolean {
  return BODILESS_METHODS.has(method)
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method)
}

/** Trailer announces what only a chunked body can carry (RFC 9110 §6.6.2). */
function copyWithout(headers: HeaderList, unwanted: ReadonlySet<string>, keepTrailer: boolean): string[] {
  const copy: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const lowerName = name.toLowerCase()
    if (unwanted.has(lowerName) || (lowerName === 'trailer' && !keepTrailer)) continue
    copy.push(name, headers[i + 1] ?? '')
  }
  return copy
}
