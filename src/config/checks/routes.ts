import { HEADER_VARIABLES, listUnknownVariables, parseTemplate } from '../../header-template.ts'
import { routePath } from '../backend-places.ts'
import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import { findNearest } from '../nearest.ts'
import type { ProblemDetail, Report } from '../report.ts'
import { isFieldName } from '../schema/names.ts'
import type { HeaderRuleSettings, RouteSettings } from '../schema/route.ts'

/** What a route that answers by itself cannot have. */
const PROXY_KEYS = [
  'host',
  'port',
  'ssl',
  'backends',
  'upstream',
  'split',
  'load_balancing',
  'sticky',
  'slow_start',
  'max_connections',
  'queue',
  'mirror',
] as const

/** RFC 9110 §7.6.1 and RFC 9112 §6: they belong to one connection, and say where a message ends. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** RFC 9110 §6.4.1: their responses have no body. */
const BODYLESS_STATUSES = new Set([204, 205, 304])

/** Which routes have been seen under one path of one domain. */
interface Claims {
  any: number | undefined
  readonly byMethod: Map<string, number>
}

/** What the schema cannot see of the routes: how their keys, and how they, go together. */
export function checkRoutes(routes: readonly (RouteSettings | undefined)[], report: Report): void {
  const names = new Map<string, number>()
  const claims = new Map<string, Claims>()
  for (const [index, route] of routes.entries()) {
    if (route === undefined) continue
    const path = routePath(index)
    checkAction(route, path, report)
    checkHeaderRules(route.headers.request, [...path, 'headers', 'request'], report)
    checkHeaderRules(route.headers.response, [...path, 'headers', 'response'], report)
    checkName(route, index, names, report)
    checkClaims(route, index, claims, report)
  }
}

function checkAction(route: RouteSettings, path: KeyPath, report: Report): void {
  const answers = (['respond', 'redirect'] as const).filter((key) => route[key] !== undefined)
  const [answer] = answers
  if (answer === undefined) return
  const backendKeys = PROXY_KEYS.filter((key) => route[key] !== undefined && route[key] !== false)
  const other = answers[1] ?? backendKeys[0]
  if (other !== undefined) {
    report.error([...path, other], `a route cannot have both ${answer} and ${other}`, {
      expected: 'one of: a backend, respond, redirect',
      at: 'key',
    })
  }
  const { respond } = route
  if (respond !== undefined && respond.body !== '' && BODYLESS_STATUSES.has(respond.status)) {
    report.error([...path, 'respond', 'body'], `a response with status ${respond.status} has no body`)
  }
}

function checkHeaderRules({ set, remove }: HeaderRuleSettings, path: KeyPath, report: Report): void {
  const seen = new Map<string, string>()
  for (const name in set) {
    const place = [...path, 'set', name]
    checkFieldName(name, place, { at: 'key' }, report)
    const same = seen.get(name.toLowerCase())
    if (same !== undefined) {
      report.error(place, `the header ${name} is set on ${report.describePlace([...path, 'set', same])} already`, {
        at: 'key',
      })
    }
    seen.set(name.toLowerCase(), name)
    checkVariables(name, set[name] ?? '', place, report)
  }
  for (const [i, name] of remove.entries()) {
    checkFieldName(name, [...path, 'remove', i], {}, report)
    if (name.toLowerCase() === 'host' && path.at(-1) === 'request') {
      report.error([...path, 'remove', i], 'no request may go without Host')
    }
  }
}

function checkVariables(name: string, value: string, place: KeyPath, report: Report): void {
  for (const unknown of listUnknownVariables(value)) {
    const near = findNearest(unknown, HEADER_VARIABLES)
    report.error(place, `there is no variable {${unknown}}`, {
      expected: `one of ${HEADER_VARIABLES.map((variable) => `{${variable}}`).join(', ')}`,
      hint: near === undefined ? `write {{${unknown}}} for the text itself` : `did you mean {${near}}?`,
    })
  }
  if (name.toLowerCase() === 'host' && parseTemplate(value) !== undefined) {
    report.error(place, 'the header Host cannot have variables', { hint: "preserve_host sends the client's own" })
  }
}

function checkFieldName(name: string, place: KeyPath, detail: ProblemDetail, report: Report): void {
  if (!isFieldName(name)) {
    report.error(place, `invalid header name ${showValue(name)}`, {
      ...detail,
      expected: 'letters, digits and hyphens',
    })
  } else if (CONNECTION_FIELDS.has(name.toLowerCase())) {
    report.error(place, `the header ${name} belongs to a connection: the proxy alone decides it`, detail)
  }
}

function checkName({ name }: RouteSettings, index: number, names: Map<string, number>, report: Report): void {
  if (name === undefined) return
  const earlier = names.get(name)
  if (earlier === undefined) names.set(name, index)
  else {
    const place = report.describePlace([...routePath(earlier), 'name'])
    report.error([...routePath(index), 'name'], `the route on ${place} has the name ${showValue(name)} already`)
  }
}

/** A domain and a method that are named win over any, so only equals are rivals. */
function checkClaims(route: RouteSettings, index: number, claims: Map<string, Claims>, report: Report): void {
  const rivals = new Set<number>()
  const domains = route.domains.length === 0 ? [''] : new Set(route.domains)
  for (const domain of domains) {
    const key = `${domain}${decodePath(route.path)}`
    const claim: Claims = claims.get(key) ?? { any: undefined, byMethod: new Map() }
    claims.set(key, claim)
    if (route.methods.length === 0) {
      if (claim.any === undefined) claim.any = index
      else rivals.add(claim.any)
    }
    for (const method of new Set(route.methods)) {
      const rival = claim.byMethod.get(method)
      if (rival === undefined) claim.byMethod.set(method, index)
      else rivals.add(rival)
    }
  }
  for (const rival of rivals) {
    const place = report.describePlace([...routePath(rival), 'path'])
    report.error([...routePath(index), 'path'], `the route on ${place} takes the same requests for ${route.path}`, {
      expected: 'another path, other domains or other methods',
    })
  }
}

/** Escapes of visible ASCII mean what they stand for (RFC 3986 §6.2.2.2), except those of a slash and a percent sign. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path
  return path.replaceAll(/%(?!2[5F])[2-7][\dA-F]/g, (escaped) =>
    String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  )
}
