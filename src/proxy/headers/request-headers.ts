import type { HeaderRules, RouteConfig } from '../../config/config.ts'
import type { RequestHead } from '../../exchange.ts'
import { findHeader, type HeaderList, withoutHeader } from '../../header-list.ts'
import { escapePath } from '../../routing/path.ts'
import type { BackendAuthority } from '../../upstream/backend-authority.ts'
import type { ClientIdentity } from '../client-identity.ts'
import { compileFieldTable, type FieldTable, findField } from './field-table.ts'
import { compileHeaderRules } from './header-rules.ts'
import { dropNamed, dropWhere, FRAMING_FIELDS, HOP_BY_HOP_FIELDS, readConnection } from './hop-by-hop.ts'

type RequestField = 'drop' | 'connection' | 'from_trusted_peer'

/** What of a route decides the header that its backend is sent. */
export type RequestHeaderRoute = Pick<RouteConfig, 'path' | 'stripPath' | 'preserveHost'> & {
  readonly headers: { readonly request: HeaderRules }
  /** Fields that no client may send to the backend, in any case: something else tells it. */
  readonly reserved?: readonly string[]
}

/** Compiled once per route. */
export interface RequestHeaderPlan {
  readonly fields: FieldTable<RequestField>
  readonly preserveHost: boolean
  /** A Host that the route sets. */
  readonly host: string | undefined
  /** What the route strips; '' where it strips nothing. */
  readonly prefix: string
  readonly set: readonly string[]
  /** Lower-case names of our own fields that the route sets or removes; undefined where there are none. */
  readonly overridden: ReadonlySet<string> | undefined
}

export interface RequestHeaderInput {
  readonly head: RequestHead
  readonly identity: ClientIdentity
  readonly requestId: string
  readonly backend: BackendAuthority
  /** The request asks for a WebSocket: Connection and Upgrade say so again. */
  readonly upgrade: boolean
  /** Ours for this request alone: they stand in place of the client's of the same names. */
  readonly fields: HeaderList
}

/** Fields that we set ourselves: what the client claims of them never crosses (RFC 7239 §8.1). */
const OWN_FIELDS: readonly string[] = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]

const VIA = { '1.0': '1.0 pyserve-ts', '1.1': '1.1 pyserve-ts', '2': '2 pyserve-ts' } as const

/** Of every route without rules: ten thousand tables of their own would not stay in the cache of a processor. */
const USUAL_FIELDS = compileFields([])

export function compileRequestHeaders(route: RequestHeaderRoute): RequestHeaderPlan {
  const { set, names } = compileHeaderRules(route.headers.request)
  // A backend that folds underscores must not see the client's field beside ours.
  const folded = set.filter((_, i) => i % 2 === 0).map(foldName)
  const reserved = (route.reserved ?? []).flatMap((name) => [foldName(name), name.toLowerCase()])
  const own = [...names, ...folded, ...reserved]
  const overridden = [...OWN_FIELDS, 'via'].filter((name) => names.has(name))
  return {
    fields: own.length === 0 ? USUAL_FIELDS : compileFields(own),
    preserveHost: route.preserveHost,
    host: findHeader(set, 'host'),
    prefix: strippedPrefix(route),
    set: withoutHeader(set, 'host'),
    overridden: overridden.length === 0 ? undefined : new Set(overridden),
  }
}

/** `own`: lower-case names of fields that no client sends to the backends of a route. */
function compileFields(own: readonly string[]): FieldTable<RequestField> {
  const kinds = new Map<string, RequestField>([['forwarded', 'from_trusted_peer']])
  for (const name of [...own, ...HOP_BY_HOP_FIELDS, ...FRAMING_FIELDS, ...OWN_FIELDS, 'host']) kinds.set(name, 'drop')
  kinds.set('connection', 'connection')
  return compileFieldTable(kinds, 'drop')
}

/** What a route takes off; '' where it takes off nothing, the root prefix included. */
export function strippedPrefix({ path, stripPath }: Pick<RouteConfig, 'path' | 'stripPath'>): string {
  return stripPath && path !== '/' ? escapePath(path) : ''
}

/**
 * The header for a backend: Host first, the client's end-to-end fields with their order, case and duplicates, then ours.
 * Framing and Expect are left to the engine.
 */
export function buildRequestHeaders(plan: RequestHeaderPlan, input: RequestHeaderInput): string[] {
  const { head, identity } = input
  const out = ['Host', hostField(plan, input)]
  copyEndToEnd(plan.fields, input, out)
  if (input.fields.length > 0) replaceFields(out, input.fields)

  const ownAt = out.length
  if (identity.forwardedFor !== '') out.push('X-Forwarded-For', identity.forwardedFor)
  out.push('X-Forwarded-Proto', identity.proto)
  if (identity.host !== '') out.push('X-Forwarded-Host', identity.host)
  out.push('X-Forwarded-Port', identity.port)
  if (plan.prefix !== '' || identity.prefix !== '') out.push('X-Forwarded-Prefix', identity.prefix + plan.prefix)
  if (identity.address !== '') out.push('X-Real-IP', identity.address)
  out.push('X-Request-Id', input.requestId, 'Via', VIA[head.httpVersion])
  if (plan.overridden !== undefined) dropNamed(out, ownAt, plan.overridden)
  if (input.upgrade) out.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  for (const part of plan.set) out.push(part)
  return out
}

function copyEndToEnd(fields: FieldTable<RequestField>, { head, identity }: RequestHeaderInput, out: string[]): void {
  const { headers } = head
  const start = out.length
  let named: Set<string> | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    const kind = findField(fields, name)
    if (kind === undefined || (kind === 'from_trusted_peer' && identity.trustedPeer)) out.push(name, value)
    else if (kind === 'connection') named = readConnection(value, named)
  }
  if (named !== undefined) dropNamed(out, start, named)
}

function replaceFields(out: string[], fields: HeaderList): void {
  const names = new Set<string>()
  for (let i = 0; i < fields.length; i += 2) names.add(foldName(fields[i] ?? ''))
  dropWhere(out, 2, (name) => names.has(foldName(name)))
  out.push(...fields)
}

/** The name as backends know it that cannot tell underscores from hyphens. */
function foldName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

function hostField(plan: RequestHeaderPlan, { head, backend }: RequestHeaderInput): string {
  if (plan.host !== undefined) return plan.host
  return plan.preserveHost && head.authority !== '' ? head.authority : backend.hostField
}
