import type { RateLimitConfig } from '../config/limits-config.ts'
import type { LeaseBook } from './lease-book.ts'
import type { LimitClient, OpenLimit } from './limit-client.ts'
import { concurrencyId, type LimitRule, rateLimitId } from './limit-rule.ts'
import { createMemoryStore, type RateStore } from './rate-store.ts'

/** The limits of one snapshot, on state that outlives it. */
export interface LimitPlan {
  /** What is to be in force with the snapshot: for `LimitClient.retain`. */
  readonly opened: readonly OpenLimit[]
  rateStore(route: string, limit: RateLimitConfig): RateStore
  /** Places for requests under way, `capacity` at least 1. */
  places(route: string, capacity: number): LeaseBook
}

/** `workers`: how many share the limits. */
export function createLimitPlan(client: LimitClient, workers: number): LimitPlan {
  const opened: OpenLimit[] = []
  const open = (id: string, rule: LimitRule) => {
    const book = client.open(id, rule, workers)
    opened.push({ book, rule, workers })
    return book
  }
  return {
    opened,
    rateStore(route, limit) {
      const { requests, perMs, burst } = limit
      return createMemoryStore(open(rateLimitId(route, limit), { kind: 'rate', requests, perMs, burst }))
    },
    places: (route, capacity) => open(concurrencyId(route), { kind: 'concurrency', capacity }),
  }
}
