import type { LimitKeyConfig, RateLimitConfig } from '../config/limits-config.ts'
import type { Allowance } from '../limits/rate-store.ts'

/** The names of a route's limits in its fields, in their order: what is counted, told apart where that is the same. */
export function namePolicies(limits: readonly RateLimitConfig[]): string[] {
  const seen = new Map<string, number>()
  return limits.map(({ key }) => {
    const name = describeKey(key)
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}-${count}`
  })
}

/** One member of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 §3): the quota and its window in seconds. */
export function formatPolicy(name: string, { requests, perMs }: RateLimitConfig): string {
  const window = perMs % 1_000 === 0 ? `;w=${perMs / 1_000}` : ''
  return `"${name}";q=${requests}${window}`
}

/** One member of RateLimit (§4): what is left, and in how many seconds it is whole again. */
export function formatAllowance(name: string, { remaining, fullMs }: Allowance): string {
  // Less than a millisecond is how the clock was read, not another second.
  return `"${name}";r=${remaining};t=${Math.ceil(Math.floor(fullMs) / 1_000)}`
}

function describeKey(key: LimitKeyConfig): string {
  return 'name' in key ? `${key.kind}:${key.name}` : key.kind
}
