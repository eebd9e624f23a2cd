import { domainToASCII } from 'node:url'
import { hostOf } from '../address.ts'
import { createPathTree, findInPathTree, type PathTree } from './path-tree.ts'

/** RFC 1035 §2.3.4: no longer name exists, so that a hostile Host costs no long search. */
const MAX_HOST_LENGTH = 255

/** The paths under exact hosts, under `*.` wildcards, and under any host. */
export interface HostIndex<C> {
  readonly exact: Map<string, PathTree<C>>
  /** By the name behind `*.`. */
  readonly wildcards: Map<string, PathTree<C>>
  readonly any: PathTree<C>
}

export function createHostIndex<C>(): HostIndex<C> {
  return { exact: new Map(), wildcards: new Map(), any: createPathTree() }
}

/** The paths of that domain, created where there are none yet. */
export function takeDomain<C>({ exact, wildcards }: HostIndex<C>, domain: string): PathTree<C> {
  const isWildcard = domain.startsWith('*.')
  const trees = isWildcard ? wildcards : exact
  const name = normalizeDomain(isWildcard ? domain.slice(2) : domain)
  const tree = trees.get(name) ?? createPathTree()
  trees.set(name, tree)
  return tree
}

export function allTrees<C>({ exact, wildcards, any }: HostIndex<C>): PathTree<C>[] {
  return [...exact.values(), ...wildcards.values(), any]
}

/** Looks under the exact host, then under the wildcards from the longest, then under any host. */
export function findInHosts<C>(index: HostIndex<C>, authority: string, matchPath: string, method: string) {
  const hasDomains = index.exact.size > 0 || index.wildcards.size > 0
  const found = hasDomains ? findInDomains(index, hostOf(authority), matchPath, method) : undefined
  return found ?? findInPathTree(index.any, matchPath, method)
}

function findInDomains<C>(index: HostIndex<C>, host: string, matchPath: string, method: string): C | undefined {
  if (host.length > MAX_HOST_LENGTH) return undefined
  const exact = index.exact.get(host)
  const found = exact === undefined ? undefined : findInPathTree(exact, matchPath, method)
  if (found !== undefined || index.wildcards.size === 0) return found
  for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const wildcard = index.wildcards.get(host.slice(dot + 1))
    const match = wildcard === undefined ? undefined : findInPathTree(wildcard, matchPath, method)
    if (match !== undefined) return match
  }
  return undefined
}

function normalizeDomain(domain: string): string {
  // Names outside of ASCII are written in punycode on the wire (RFC 5891 §4).
  const name = /^[\x20-\x7e]*$/.test(domain) ? domain : domainToASCII(domain) || domain
  const isBareIpv6 = name.includes(':') && !name.startsWith('[')
  return isBareIpv6 ? name.toLowerCase() : hostOf(name)
}
