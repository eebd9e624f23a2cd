import { isIP } from 'node:net'
import type { MemberConfig } from '../../config/config.ts'

/** What name servers said about the backends of a configuration. Plain data: it goes to the workers. */
export interface Discovered {
  /** By host, sorted; none: there is no such name. A host that is missing here is not known yet. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
  /** By the name of the service. */
  readonly services: Readonly<Record<string, readonly ServiceTarget[]>>
  /** The names mean something to the name servers that were asked: who connects must not look them up. */
  readonly isPrivate: boolean
}

/** One SRV record (RFC 2782). */
export interface ServiceTarget {
  readonly host: string
  readonly port: number
  readonly weight: number
  /** Its priority is not the best one. */
  readonly backup: boolean
}

export const NOTHING_DISCOVERED: Discovered = { addresses: {}, services: {}, isPrivate: false }

/**
 * The backends that members stand for. A service is its targets, and a name with more than one address of a family is one
 * backend for each address. A name with one address of a family, or of each, is one machine: where it may, whoever connects
 * tries its addresses in turn. A name that does not exist is nobody.
 */
export function expandMembers(members: readonly MemberConfig[], found: Discovered): MemberConfig[] {
  return members.flatMap((member) => {
    if (member.discovery === undefined) return [member]
    return member.discovery === 'service' ? expandService(member, found) : expandHost(member, found)
  })
}

/** The addresses that are backends of their own; empty where the name is one backend. */
function splitAddresses(addresses: readonly string[]): readonly string[] {
  for (const family of [4, 6]) {
    const ofFamily = addresses.filter((address) => isIP(address) === family)
    if (ofFamily.length > 1) return ofFamily
  }
  return []
}

function expandHost(member: MemberConfig, { addresses, isPrivate }: Discovered): MemberConfig[] {
  const known = Object.hasOwn(addresses, member.host) ? addresses[member.host] : undefined
  if (known === undefined) return [member]
  if (known.length === 0) return []
  const several = splitAddresses(known)
  if (several.length > 0) return several.map((address) => ({ ...member, address }))
  const address = known.find((one) => isIP(one) === 4) ?? known[0]
  return [isPrivate && address !== undefined ? { ...member, address } : member]
}

function expandService(member: MemberConfig, found: Discovered): MemberConfig[] {
  const targets = Object.hasOwn(found.services, member.host) ? found.services[member.host] : undefined
  return (targets ?? []).flatMap(({ host, port, weight, backup }) =>
    expandHost({ host, port, tls: member.tls, weight, backup: member.backup || backup, discovery: 'addresses' }, found),
  )
}
