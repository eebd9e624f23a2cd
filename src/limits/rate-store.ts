import type { Lease } from './lease.ts'
import type { LeaseBook } from './lease-book.ts'

/** What became of one request, and how its key stands after it. */
export interface Allowance {
  readonly passed: boolean
  /** How many more could pass at once, as far as is known here. */
  readonly remaining: number
  /** Until one could pass; 0 where it did. */
  readonly waitMs: number
  /** Until as many could pass as the burst allows. */
  readonly fullMs: number
}

/** Counts the requests of one limit. */
export interface RateStore {
  /** Never rejects. */
  take(key: string, nowMs: number): Allowance | Promise<Allowance>
  /** A request that passed here was refused elsewhere, and does not count. */
  refund(key: string): void
}

/** Counts on this machine, exactly, over all workers. */
export function createMemoryStore(book: LeaseBook): RateStore {
  return {
    take(key, nowMs) {
      const lease = book.lease(key)
      const passed = book.take(lease, nowMs)
      if (typeof passed === 'boolean') return describe(lease, passed, nowMs)
      return passed.then((later) => describe(lease, later, performance.now()))
    },
    refund: (key) => book.refund(book.lease(key)),
  }
}

function describe(lease: Lease, passed: boolean, nowMs: number): Allowance {
  return {
    passed,
    remaining: passed ? lease.tokens + lease.left : 0,
    waitMs: passed ? 0 : Math.max(0, lease.refusedUntilMs - nowMs),
    fullMs: Math.max(0, lease.fullAtMs - nowMs),
  }
}
