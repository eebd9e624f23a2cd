import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

const MAX_REMEMBERED = 4096
const MAPPED_BITS = 96

/** A set of addresses, given as ranges. */
export interface AddressRanges {
  /** `address` as a socket or X-Forwarded-For has it; false for what is no address. */
  has(address: string): boolean
}

/** Takes addresses and CIDRs. Throws for what is neither. */
export function compileRanges(cidrs: readonly string[]): AddressRanges {
  const ranges = cidrs.map(parseRange)
  const remembered = new Map<string, boolean>()
  return {
    has(address) {
      const known = remembered.get(address)
      if (known !== undefined) return known
      const isIn = isInRanges(address, ranges)
      const oldest = remembered.size < MAX_REMEMBERED ? undefined : remembered.keys().next().value
      if (oldest !== undefined) remembered.delete(oldest)
      remembered.set(address, isIn)
      return isIn
    },
  }
}

function parseRange(text: string): Range {
  try {
    const [address, bits] = text.includes('/') ? ipaddr.parseCIDR(text) : wholeAddress(text)
    const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= MAPPED_BITS
    return isMapped ? [address.toIPv4Address(), bits - MAPPED_BITS] : [address, bits]
  } catch (cause) {
    throw new Error(`${JSON.stringify(text)} is not an address or a CIDR`, { cause })
  }
}

function wholeAddress(text: string): Range {
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function isInRanges(address: string, ranges: readonly Range[]): boolean {
  if (isIP(address) === 0) return false
  const parsed = ipaddr.process(address)
  return ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits))
}
