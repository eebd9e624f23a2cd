import type { RateLimitConfig } from '../config/limits-config.ts'
import type { LeaseBook } from './lease-book.ts'
import type { LimitClient, OpenLimit } from './limit-client.ts'
import { concurrencyId, connectionsId, type LimitRule, rateLimitId } from './limit-rule.ts'
import { createMemoryStore, type RateStore } from './rate-store.ts'
import type { RedisLink } from './redis-link.ts'
import { createRedisStore } from './redis-store.ts'

/** The limits of one snapshot, on state that outlives it. */
export interface LimitPlan {
  /** What is to be in force with the snapshot: for `LimitClient.retain`. */
  readonly opened: readonly OpenLimit[]
  rateStore(route: string, limit: RateLimitConfig): RateStore
  /** Places at each backend of an upstream, under the backend's key; `capacity` at least 1. */
  connections(upstream: string, capacity: number): LeaseBook
  /** Places for requests under way, `capacity` at least 1. */
  places(route: string, capacity: number): LeaseBook
}

/** `workers`: how many share the limits. `openRedis` is called only where a limit counts there. */
export function createLimitPlan(client: LimitClient, workers: number, openRedis: () => RedisLink): LimitPlan {
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
      const id = rateLimitId(route, limit)
      const local = createMemoryStore(open(id, { kind: 'rate', requests, perMs, burst }))
      return limit.store === 'memory' ? local : createRedisStore(id, limit, openRedis(), local)
    },
    connections: (upstream, capacity) => open(connectionsId(upstream), { kind: 'concurrency', capacity }),
    places: (route, capacity) => open(concurrencyId(route), { kind: 'concurrency', capacity }),
  }
}
