import { type AddressRanges, compileRanges } from './address-ranges.ts'
import type { Gate, Verdict } from './gate.ts'

export interface AccessRules {
  /** CIDRs; empty: everyone who is not denied. */
  readonly allow: readonly string[]
  /** CIDRs; they win over `allow`. */
  readonly deny: readonly string[]
}

const FORBIDDEN: Verdict = { kind: 'refuse', reason: 'forbidden', fields: [] }

/** Lets clients pass by their address, that behind trusted proxies; undefined where there are no rules. */
export function createAccessGate({ allow, deny }: AccessRules): Gate | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined
  const allowed: AddressRanges | undefined = allow.length === 0 ? undefined : compileRanges(allow)
  const denied = compileRanges(deny)
  return {
    enter({ identity: { address } }) {
      // A client whose address is not known is nobody's to let in.
      const isWelcome = address !== '' && (allowed === undefined || allowed.has(address)) && !denied.has(address)
      return isWelcome ? undefined : FORBIDDEN
    },
  }
}
