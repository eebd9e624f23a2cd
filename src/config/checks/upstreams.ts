import { formatAddress } from '../../address.ts'
import { listBackendPlaces, routePath, upstreamPath } from '../backend-places.ts'
import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import { findNearest } from '../nearest.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import type { BackendTlsSettings, MemberSettings } from '../schema/backend.ts'
import type { RouteSettings } from '../schema/route.ts'
import type { SplitSettings } from '../schema/split.ts'

/** Each says where the backends are: a route has one of them. */
const SOURCES = ['upstream', 'split', 'backends', 'host', 'port', 'ssl'] as const
/** A route that shares a group cannot have a policy of its own. */
const POLICIES = [
  'load_balancing',
  'sticky',
  'slow_start',
  'max_connections',
  'queue',
  'health_check',
  'passive_health',
] as const

/** How the backends of a group, and routes and groups, go together. */
export function checkUpstreams(parts: ConfigParts, report: Report): void {
  const { routes, upstreams } = parts
  for (const { ssl, path } of listBackendPlaces(parts)) checkTls(ssl, path, report)
  for (const [name, one] of upstreams ?? []) {
    checkUpstreamName(name, report)
    if (one !== undefined) checkMembers(one.backends, upstreamPath(name), report)
  }
  for (const [i, route] of routes.entries()) {
    if (route === undefined) continue
    checkSources(route, routePath(i), report)
    if (route.backends !== undefined) checkMembers(route.backends, routePath(i), report)
    if (upstreams !== undefined) checkReference(route, routePath(i), [...upstreams.keys()], report)
  }
  reportUnused(parts, report)
}

function checkTls(ssl: boolean | BackendTlsSettings, path: KeyPath, report: Report): void {
  if (typeof ssl === 'boolean') return
  if (ssl.cert_file !== undefined && ssl.key_file === undefined) {
    report.error([...path, 'ssl', 'cert_file'], 'cert_file needs key_file beside it', { at: 'key' })
  }
  if (ssl.key_file !== undefined && ssl.cert_file === undefined) {
    report.error([...path, 'ssl', 'key_file'], 'key_file needs cert_file beside it', { at: 'key' })
  }
}

function checkUpstreamName(name: string, report: Report): void {
  if (/^\P{Cc}{1,200}$/u.test(name)) return
  report.error(upstreamPath(name), `invalid name ${showValue(name)} in server.upstreams`, {
    at: 'key',
    expected: 'a name of at most 200 characters, without control characters',
  })
}

function checkMembers(members: readonly MemberSettings[], path: KeyPath, report: Report): void {
  const list: KeyPath = [...path, 'backends']
  if (members.every(({ weight = 1 }) => weight === 0)) {
    report.error(list, 'every backend has the weight 0: none takes requests', { expected: 'a weight of at least 1' })
  }
  if (members.every(({ backup }) => backup)) {
    report.error(list, 'every backend is a backup: there is none that they stand in for')
  }
  const seen = new Map<string, KeyPath>()
  for (const [i, member] of members.entries()) {
    checkMember(member, [...list, i], report)
    const address = describeMember(member)
    const earlier = seen.get(address)
    seen.set(address, earlier ?? [...list, i])
    if (earlier !== undefined) {
      const place = report.describePlace(earlier)
      report.error([...list, i], `the backend ${address} stands on ${place} already`, {
        hint: 'give it a weight, to send it more requests than others',
      })
    }
  }
}

/** A service tells by itself what others are told. */
function checkMember(member: MemberSettings, path: KeyPath, report: Report): void {
  const { host, srv } = member
  if (host === undefined && srv === undefined) {
    report.error(path, 'a backend has neither host nor srv', { expected: 'host, or srv with the name of a service' })
  }
  if (srv === undefined) return
  const other = (['host', 'port', 'weight'] as const).find((key) => member[key] !== undefined)
  if (other === undefined) return
  report.error([...path, other], `a backend cannot have both srv and ${other}`, {
    hint: `the SRV records of ${srv} tell it`,
    at: 'key',
  })
}

function describeMember({ host = 'localhost', srv, port, ssl }: MemberSettings): string {
  return srv ?? formatAddress(host.toLowerCase(), port ?? (ssl === false ? 80 : 443))
}

function checkSources(route: RouteSettings, path: KeyPath, report: Report): void {
  const given = SOURCES.filter((key) => route[key] !== undefined && route[key] !== false)
  const [first, second] = given
  if (first === undefined || second === undefined || first === 'host' || first === 'port') return
  const hint = first === 'backends' && second !== 'host' ? `each backend has its own ${second}` : undefined
  report.error([...path, second], `a route cannot have both ${first} and ${second}`, {
    expected: 'one of: host with port and ssl, backends, upstream, split',
    hint,
    at: 'key',
  })
}

function checkReference(route: RouteSettings, path: KeyPath, names: readonly string[], report: Report): void {
  const { upstream, split, mirror } = route
  if (mirror !== undefined) checkUpstream(mirror.upstream, [...path, 'mirror', 'upstream'], names, report)
  if (split !== undefined) checkSplit(split, [...path, 'split'], names, report)
  if (upstream !== undefined) checkUpstream(upstream, [...path, 'upstream'], names, report)
  const named = upstream ?? split?.to[0]?.upstream
  if (named === undefined || !names.includes(named)) return
  const policy = POLICIES.find((key) => route[key] !== undefined)
  if (policy === undefined) return
  report.error([...path, policy], `${policy} belongs to the upstream ${showValue(named)}, which routes may share`, {
    at: 'key',
    hint: `set it in server.upstreams.${named}`,
  })
}

function checkUpstream(name: string, path: KeyPath, names: readonly string[], report: Report): void {
  if (names.includes(name)) return
  const near = findNearest(name, names)
  report.error(path, `there is no upstream ${showValue(name)}`, {
    expected: 'a name that stands in server.upstreams',
    hint: near && `did you mean "${near}"?`,
  })
}

function checkSplit({ to, by, secret }: SplitSettings, path: KeyPath, names: readonly string[], report: Report): void {
  for (const [i, { upstream }] of to.entries()) {
    const place = [...path, 'to', i, 'upstream']
    checkUpstream(upstream, place, names, report)
    if (to.findIndex((other) => other.upstream === upstream) < i) {
      report.error(place, `the upstream ${showValue(upstream)} stands in the list twice`)
    }
  }
  if (to.every(({ weight }) => weight === 0)) {
    report.error([...path, 'to'], 'every upstream has the weight 0: none gets requests', {
      expected: 'a weight of at least 1',
    })
  }
  if (secret !== undefined && !by.startsWith('cookie:')) {
    report.error([...path, 'secret'], 'a secret signs a cookie, and there is none', { expected: 'by: cookie:<name>' })
  }
}

/** A route with a mistake may be the one that uses it. */
function reportUnused({ routes, upstreams }: ConfigParts, report: Report): void {
  if (routes.includes(undefined)) return
  const used = new Set(
    routes.flatMap((route) => [
      route?.upstream,
      route?.mirror?.upstream,
      ...(route?.split?.to ?? []).map(({ upstream }) => upstream),
    ]),
  )
  for (const name of upstreams?.keys() ?? []) {
    if (used.has(name)) continue
    report.warning(upstreamPath(name), `no route uses the upstream ${showValue(name)}`, { at: 'key' })
  }
}
