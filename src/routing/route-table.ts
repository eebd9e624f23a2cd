import type { RouteConfig } from '../config/config.ts'
import { allTrees, createHostIndex, findInHosts, takeDomain } from './host-index.ts'
import { escapePath, skipSegments } from './path.ts'
import { addToPathTree, allowHeadWithGet, depthOf } from './path-tree.ts'
import { type BadTarget, type ParsedTarget, type PathTarget, parseRequestTarget } from './request-target.ts'

/** What of a route decides whether a request is its own, and what path it is sent with. */
export type RouteRule = Pick<RouteConfig, 'path' | 'domains' | 'methods' | 'encodedSlashes' | 'stripPath'>

export interface RouteTableEntry<T> {
  readonly rule: RouteRule
  readonly value: T
}

export type RouteMatch<T> =
  | {
      readonly kind: 'route'
      readonly value: T
      /** Sent on: origin form or `*`, minus the prefix where the route strips it, query included. */
      readonly path: string
    }
  | { readonly kind: 'no_route' }
  | BadTarget

/** Compiled and immutable. */
export interface RouteTable<T> {
  /**
   * Exact host before `*.` wildcard before any host; among those the longest prefix on a segment boundary that takes
   * the method, whatever the order of the routes. What a match costs does not depend on their number.
   * `authority` is the request's, with its port and in any case.
   */
  match(authority: string, target: ParsedTarget, method: string): RouteMatch<T>
}

interface Candidate<T> {
  readonly value: T
  /** Segments to take off; 0 where the path is sent as it came. */
  readonly strip: number
  readonly refuseEncodedSlash: boolean
}

const NO_ROUTE = { kind: 'no_route' } as const
const BAD_ASTERISK: BadTarget = { kind: 'bad', detail: 'only OPTIONS has * for a target' }
const BAD_SLASH: BadTarget = { kind: 'bad', detail: 'the route refuses an escaped slash in the path' }

/** Throws where a rule's path is no path; of two rules that take the same requests the first stays. */
export function compileRouteTable<T>(entries: readonly RouteTableEntry<T>[]): RouteTable<T> {
  const hosts = createHostIndex<Candidate<T>>()
  for (const { rule, value } of entries) {
    const prefix = normalizePrefix(rule.path)
    const strip = rule.stripPath ? depthOf(prefix) : 0
    const candidate = { value, strip, refuseEncodedSlash: rule.encodedSlashes === 'refuse' }
    const trees = rule.domains.length === 0 ? [hosts.any] : rule.domains.map((domain) => takeDomain(hosts, domain))
    for (const tree of trees) addToPathTree(tree, prefix, rule.methods, candidate)
  }
  for (const tree of allTrees(hosts)) allowHeadWithGet(tree)

  return {
    match(authority, target, method) {
      if (target.kind === 'bad') return target
      if (target.kind === 'asterisk' && method !== 'OPTIONS') return BAD_ASTERISK
      const matchPath = target.kind === 'path' ? target.matchPath : '/'
      const found = findInHosts(hosts, authority, matchPath, method)
      if (found === undefined) return NO_ROUTE
      if (target.kind === 'asterisk') return { kind: 'route', value: found.value, path: '*' }
      if (target.encodedSlash && found.refuseEncodedSlash) return BAD_SLASH
      return { kind: 'route', value: found.value, path: stripPrefix(target, found.strip) }
    },
  }
}

function stripPrefix({ uri, queryAt }: PathTarget, segments: number): string {
  if (segments === 0) return uri
  const cut = skipSegments(uri, segments, queryAt)
  return cut < queryAt ? uri.slice(cut) : `/${uri.slice(cut)}`
}

function normalizePrefix(path: string): string {
  const target = parseRequestTarget(escapePath(path))
  if (target.kind === 'path' && target.authority === undefined) return target.matchPath
  throw new Error(`route path ${JSON.stringify(path)} is not a path`)
}
