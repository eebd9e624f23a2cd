import type { KeyAsk, KeyGrant, LimitAsk, LimitNote } from '../ipc/limit-messages.ts'
import { createLease, expectDemand, isIdle, isLow, type Lease } from './lease.ts'
import type { LimitRule } from './limit-rule.ts'

export interface BookContext {
  /** Something is to be told to the primary; `urgent`: before more is gathered. */
  changed(book: LeaseBook, urgent: boolean): void
  /** The primary has not answered for too long. */
  readonly isAlone: boolean
}

/** The leases of one limit in one worker. */
export class LeaseBook {
  readonly limit: string
  readonly #context: BookContext
  readonly #leases = new Map<string, Lease>()
  readonly #dirty = new Set<Lease>()
  #asking = 0
  #rule: LimitRule
  /** A worker's part of the rule where it cannot ask. */
  #share: number

  constructor(limit: string, rule: LimitRule, workers: number, context: BookContext) {
    this.limit = limit
    this.#context = context
    this.#rule = rule
    this.#share = shareOf(rule, workers)
  }

  get size(): number {
    return this.#leases.size
  }

  /** Asks that are not answered yet. */
  get asking(): number {
    return this.#asking
  }

  use(rule: LimitRule, workers: number): void {
    this.#rule = rule
    this.#share = shareOf(rule, workers)
  }

  lease(key: string): Lease {
    const known = this.#leases.get(key)
    if (known !== undefined) return known
    const lease = createLease(key)
    this.#leases.set(key, lease)
    // The first lease makes the book known to who sweeps it.
    if (this.#leases.size === 1) this.#context.changed(this, false)
    return lease
  }

  /** Whether one more request may pass; asks the primary where that is not known here. */
  take(lease: Lease, nowMs: number): boolean | Promise<boolean> {
    lease.recent++
    if (lease.tokens > 0) {
      this.#pass(lease)
      if (!lease.isAsked && isLow(lease)) this.#mark(lease, false)
      return true
    }
    if (nowMs < lease.refusedUntilMs) return false
    if (this.#context.isAlone) return this.#decideAlone(lease, nowMs)
    return new Promise((resolve) => {
      lease.waiters.push(resolve)
      if (!lease.isAsked) this.#mark(lease, false)
    })
  }

  /** A request that passed did not need it after all. */
  refund(lease: Lease): void {
    lease.back++
    this.#mark(lease, false)
  }

  /** A place is free again. */
  release(lease: Lease): void {
    lease.busy--
    if (lease.unbacked > 0) lease.unbacked--
    else if (lease.isTight) {
      lease.back++
      this.#mark(lease, false)
    } else lease.tokens++
  }

  grant([key, given, extra, left, waitMs, fullMs]: KeyGrant, nowMs: number): void {
    const lease = this.lease(key)
    const isShort = given < lease.asked
    if (lease.isAsked) this.#asking--
    lease.isAsked = false
    lease.asked = 0
    lease.left = left
    lease.fullAtMs = nowMs + fullMs
    lease.isTight = extra === 0
    lease.tokens += extra
    lease.lent = lease.tokens
    const waiting = lease.waiters.splice(0, given)
    for (const resolve of waiting) {
      if (this.#rule.kind === 'concurrency') lease.busy++
      resolve(true)
    }
    this.#putBack(lease, given - waiting.length)
    if (isShort) {
      lease.refusedUntilMs = nowMs + waitMs
      for (const resolve of lease.waiters.splice(0)) resolve(false)
    }
    for (const resolve of lease.waiters.splice(0, lease.tokens)) {
      this.#pass(lease)
      resolve(true)
    }
    if (lease.waiters.length > 0) this.#mark(lease, false)
  }

  recall(key: string): void {
    const lease = this.lease(key)
    lease.isTight = true
    lease.isRecalled = true
    lease.back += lease.tokens
    lease.tokens = 0
    this.#mark(lease, true)
  }

  /** Once in a while: what nobody came for goes back, what was used is told, what is idle is forgotten. */
  sweep(nowMs: number): void {
    for (const lease of this.#leases.values()) {
      const surplus = Math.max(0, lease.tokens - 2 * lease.recent)
      lease.tokens -= surplus
      lease.back += surplus
      if (lease.used > 0 || lease.back > 0) this.#mark(lease, false)
      else if (isIdle(lease, nowMs)) this.#leases.delete(lease.key)
      lease.previous = lease.recent
      lease.recent = 0
    }
  }

  /** The requests that wait for the primary wait no longer. */
  decideWaiting(nowMs: number): void {
    for (const lease of this.#leases.values()) {
      for (const resolve of lease.waiters.splice(0)) resolve(this.#decideAlone(lease, nowMs))
    }
  }

  /** What is to be told, at once forgotten here; undefined: nothing. */
  takeMessage(nowMs: number): LimitAsk | undefined {
    if (this.#dirty.size === 0) return undefined
    const notes: LimitNote[] = []
    const asks: KeyAsk[] = []
    for (const lease of this.#dirty) {
      const { key, used, back, isRecalled, isAsked, waiters, aloneSinceMs } = lease
      const ageMs = aloneSinceMs === 0 ? 0 : Math.round(nowMs - aloneSinceMs)
      if (used > 0 || back > 0 || isRecalled) notes.push([key, used, back, isRecalled, ageMs])
      lease.used = 0
      lease.back = 0
      lease.isRecalled = false
      lease.aloneSinceMs = 0
      const want = expectDemand(lease)
      if (isAsked || (waiters.length === 0 && (want === 0 || !isLow(lease)))) continue
      lease.isAsked = true
      this.#asking++
      lease.asked = waiters.length
      asks.push([key, waiters.length, want])
    }
    this.#dirty.clear()
    return notes.length + asks.length === 0 ? undefined : { limit: this.limit, rule: this.#rule, notes, asks }
  }

  /** Everything unused goes back with the next message. */
  returnAll(): void {
    for (const lease of this.#leases.values()) {
      lease.back += lease.tokens
      lease.tokens = 0
      this.#mark(lease, false)
    }
  }

  #pass(lease: Lease): void {
    lease.tokens--
    if (this.#rule.kind === 'concurrency') lease.busy++
    else lease.used++
  }

  /** What was granted to requests that had been decided on without the primary. */
  #putBack(lease: Lease, count: number): void {
    if (count <= 0) return
    const backed = Math.min(lease.unbacked, count)
    lease.unbacked -= backed
    lease.back += count - backed
    this.#mark(lease, false)
  }

  #decideAlone(lease: Lease, nowMs: number): boolean {
    const rule = this.#rule
    if (rule.kind === 'concurrency') {
      if (lease.busy >= this.#share) return false
      lease.busy++
      lease.unbacked++
      return true
    }
    const intervalMs = (rule.perMs / rule.requests) * (rule.burst / this.#share)
    const tatMs = Math.max(lease.aloneTatMs, nowMs)
    if (tatMs + intervalMs > nowMs + this.#share * intervalMs) return false
    lease.aloneTatMs = tatMs + intervalMs
    if (lease.aloneSinceMs === 0) lease.aloneSinceMs = nowMs
    // Told as used like any other: the key owes it once the primary answers again.
    lease.used++
    this.#mark(lease, false)
    return true
  }

  #mark(lease: Lease, urgent: boolean): void {
    this.#dirty.add(lease)
    this.#context.changed(this, urgent)
  }
}

function shareOf(rule: LimitRule, workers: number): number {
  return Math.max(1, Math.floor((rule.kind === 'rate' ? rule.burst : rule.capacity) / workers))
}
