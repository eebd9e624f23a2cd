import type { RateLimitConfig } from '../config/limits-config.ts'

/** What one key of a limit is allowed; plain data, so that it can cross to another process. */
export type LimitRule =
  | { readonly kind: 'rate'; readonly requests: number; readonly perMs: number; readonly burst: number }
  /** At most `capacity` at the same time. */
  | { readonly kind: 'concurrency'; readonly capacity: number }

/** The identity of a limit: what keeps it over a reload keeps its state. */
export function rateLimitId(route: string, { requests, perMs, burst, key }: RateLimitConfig): string {
  const name = 'name' in key ? `${key.kind}:${key.name}` : key.kind
  return `rate ${requests}/${perMs}/${burst} ${name} ${route}`
}

/** Without the capacity: another one counts the same requests. */
export function concurrencyId(route: string): string {
  return `concurrency ${route}`
}

export function connectionsId(upstream: string): string {
  return `connections ${upstream}`
}
