import { hash } from 'node:crypto'
import type { LimitKeyConfig } from '../config/limits-config.ts'
import type { RequestHead } from '../exchange.ts'
import { findHeader, headerValues } from '../header-list.ts'

/** Names what a request is counted under; `address` is that of the client, behind trusted proxies. */
export type LimitKey = (head: RequestHead, address: string) => string

/** A longer value is known by its hash: what a client sends must not decide how much is remembered of it. */
const LONGEST_VALUE = 64
const GROUPS = 8
/** A network of this many groups of 16 bits is one client: who has an IPv6 address has all of a /64. */
const NETWORK_GROUPS = 4

/**
 * A request without the header or the cookie counts for its address. The two never meet: a value that looks like an
 * address is another key.
 */
export function compileLimitKey(config: LimitKeyConfig): LimitKey {
  switch (config.kind) {
    case 'route':
      return () => ''
    case 'ip':
      return (_head, address) => clientNetwork(address)
    case 'header':
      return ({ headers }, address) => keyOf(findHeader(headers, config.name), address)
    case 'cookie':
      return ({ headers }, address) => keyOf(findCookie(headers, config.name), address)
  }
}

/** An IPv4 address as it is, also where it is mapped into IPv6 (RFC 4291 §2.5.5.2); of IPv6 the /64. */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address
  const groups = expandGroups(address)
  const [, , , , , sixth, seventh = '0', eighth = '0'] = groups
  const isMapped = sixth === 'ffff' && groups.slice(0, 5).every((group) => group === '0')
  if (isMapped) return seventh.includes('.') ? seventh : formatIpv4(seventh, eighth)
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`
}

function keyOf(value: string | undefined, address: string): string {
  if (value === undefined || value === '') return clientNetwork(address)
  return `=${value.length > LONGEST_VALUE ? hash('sha256', value, 'base64url') : value}`
}

function findCookie(headers: RequestHead['headers'], name: string): string | undefined {
  for (const list of headerValues(headers, 'cookie')) {
    for (const pair of list.split(';')) {
      const equals = pair.indexOf('=')
      if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
    }
  }
  return undefined
}

/** Without leading zeros, in lower case, `::` written out; a dotted end counts as two groups and stays one. */
function expandGroups(address: string): string[] {
  const zone = address.indexOf('%')
  const bare = (zone === -1 ? address : address.slice(0, zone)).toLowerCase()
  const gap = bare.indexOf('::')
  const read = (text: string) => text.split(':').flatMap((group) => (group === '' ? [] : [trimZeros(group)]))
  if (gap === -1) return read(bare)
  const before = read(bare.slice(0, gap))
  const after = read(bare.slice(gap + 2))
  const width = after.at(-1)?.includes('.') ? GROUPS - 1 : GROUPS
  const missing = Math.max(0, width - before.length - after.length)
  return [...before, ...Array<string>(missing).fill('0'), ...after]
}

function trimZeros(group: string): string {
  return group.includes('.') ? group : group.replace(/^0+(?=.)/, '')
}

function formatIpv4(high: string, low: string): string {
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.')
}
