import type { HeaderRules, RouteConfig } from '../../config/config.ts'
import type { RequestHead, ResponseHead } from '../../exchange.ts'
import type { BackendAuthority } from '../../upstream/backend-authority.ts'
import { compileFieldTable, type FieldTable, findField } from './field-table.ts'
import { compileHeaderRules } from './header-rules.ts'
import { dropNamed, HOP_BY_HOP_FIELDS, readConnection } from './hop-by-hop.ts'
import { type LocationRule, rewriteLocation } from './location.ts'
import { strippedPrefix } from './request-headers.ts'

type ResponseField = 'drop' | 'connection' | 'length' | 'location' | 'request_id' | 'trailer' | 'encoding' | 'upgrade'

/** What of a route decides the header that a client is sent. */
export type ResponseHeaderRoute = Pick<RouteConfig, 'path' | 'stripPath' | 'preserveHost'> & {
  readonly headers: { readonly response: HeaderRules }
}

/** Compiled once per route. */
export interface ResponseHeaderPlan {
  readonly fields: FieldTable<ResponseField>
  readonly location: LocationRule
  readonly set: readonly string[]
  /** Lower-case names of our own fields that the route sets or removes; undefined where there are none. */
  readonly overridden: ReadonlySet<string> | undefined
}

export interface ResponseHeaderInput {
  /** What the backend answered. */
  readonly response: ResponseHead
  readonly request: RequestHead
  readonly requestId: string
  readonly backend: BackendAuthority
}

const CONTENT_LENGTH: ReadonlySet<string> = new Set(['content-length'])

/** Of every route without rules, as for requests. */
const USUAL_FIELDS = compileFields([])

export function compileResponseHeaders(route: ResponseHeaderRoute): ResponseHeaderPlan {
  const { set, names } = compileHeaderRules(route.headers.response)
  const overridden = ['via', 'x-request-id'].filter((name) => names.has(name))
  return {
    fields: names.size === 0 ? USUAL_FIELDS : compileFields([...names]),
    location: { prefix: strippedPrefix(route), preserveHost: route.preserveHost },
    set,
    overridden: overridden.length === 0 ? undefined : new Set(overridden),
  }
}

/** `own`: lower-case names of fields that a route sets or takes out. */
function compileFields(own: readonly string[]): FieldTable<ResponseField> {
  const kinds = new Map<string, ResponseField>([
    ['content-length', 'length'],
    ['content-location', 'location'],
    ['location', 'location'],
    ['x-request-id', 'request_id'],
  ])
  for (const name of [...HOP_BY_HOP_FIELDS, ...own]) kinds.set(name, 'drop')
  kinds.set('connection', 'connection')
  kinds.set('trailer', 'trailer')
  kinds.set('transfer-encoding', 'encoding')
  kinds.set('upgrade', 'upgrade')
  return compileFieldTable(kinds)
}

/**
 * The header for the client: the backend's end-to-end fields with their order, case and duplicates, then ours. A 101
 * carries Connection and Upgrade again; Content-Length stays for the responder.
 */
export function buildResponseHeaders(plan: ResponseHeaderPlan, input: ResponseHeaderInput): string[] {
  const { headers, status } = input.response
  const out: string[] = []
  let named: Set<string> | undefined
  let length: string | undefined
  let trailer: string | undefined
  let upgrade = 'websocket'
  let isEncoded = false
  let hasRequestId = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    switch (findField(plan.fields, name)) {
      case undefined:
        out.push(name, value)
        break
      case 'location':
        out.push(name, rewriteLocation(value, plan.location, input.backend, input.request.authority))
        break
      case 'length':
        if (value !== length) out.push(name, value)
        length = value
        break
      case 'request_id':
        hasRequestId = true
        out.push(name, value)
        break
      case 'connection':
        named = readConnection(value, named)
        break
      case 'trailer':
        trailer = trailer === undefined ? value : `${trailer}, ${value}`
        break
      case 'encoding':
        isEncoded = true
        break
      case 'upgrade':
        upgrade = value
        break
    }
  }
  if (named !== undefined) dropNamed(out, 0, named)
  // RFC 9112 §6.3: Transfer-Encoding overrides Content-Length, so the number says nothing of what comes.
  if (isEncoded && length !== undefined) dropNamed(out, 0, CONTENT_LENGTH)

  const ownAt = out.length
  out.push('Via', '1.1 pyserve-ts')
  if (!hasRequestId) out.push('X-Request-Id', input.requestId)
  if (plan.overridden !== undefined) dropNamed(out, ownAt, plan.overridden)
  if (status === 101) out.push('Connection', 'Upgrade', 'Upgrade', upgrade)
  else if (trailer !== undefined && (isEncoded || length === undefined) && mayHaveTrailers(input)) {
    out.push('Trailer', trailer)
  }
  for (const part of plan.set) out.push(part)
  return out
}

/** RFC 9112 §7.1.2: trailers need a body, and a client that reads chunks. */
function mayHaveTrailers({ request, response }: ResponseHeaderInput): boolean {
  const hasBody = request.method !== 'HEAD' && response.status !== 204 && response.status !== 304
  return hasBody && request.httpVersion !== '1.0'
}
