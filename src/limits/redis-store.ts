import { hash } from 'node:crypto'
import type { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RateLimitConfig } from '../config/limits-config.ts'
import type { Allowance, RateStore } from './rate-store.ts'
import type { RedisLink } from './redis-link.ts'

/** Keys that are known to be refused; the oldest makes room for a new one. */
const MAX_REFUSED = 10_000

/** What the package answers, as a value or as a rejection. */
interface RedisVerdict {
  readonly remainingPoints: number
  readonly msBeforeNext: number
}

/** Counts in Redis, for several machines; in `local` while Redis is away. */
export function createRedisStore(id: string, limit: RateLimitConfig, link: RedisLink, local: RateStore): RateStore {
  return new RedisStore(id, limit, link, local)
}

class RedisStore implements RateStore {
  readonly #id: string
  readonly #burst: number
  readonly #fullMs: number
  readonly #link: RedisLink
  readonly #local: RateStore
  readonly #refusedUntilMs = new Map<string, number>()
  #limiter: RateLimiterRedis | undefined

  constructor(id: string, { requests, perMs, burst }: RateLimitConfig, link: RedisLink, local: RateStore) {
    this.#id = id
    this.#burst = burst
    this.#fullMs = (burst * perMs) / requests
    this.#link = link
    this.#local = local
  }

  take(key: string, nowMs: number): Allowance | Promise<Allowance> {
    const limiter = this.#link.isUp ? this.#open() : undefined
    if (limiter === undefined) return this.#local.take(key, nowMs)
    const waitMs = (this.#refusedUntilMs.get(key) ?? 0) - nowMs
    if (waitMs > 0) return this.#refusal(waitMs)
    return this.#ask(limiter, key, nowMs)
  }

  refund(key: string): void {
    const limiter = this.#link.isUp ? this.#open() : undefined
    if (limiter === undefined) this.#local.refund(key)
    else limiter.reward(hideValue(key)).catch((error: Error) => this.#link.failed(error))
  }

  async #ask(limiter: RateLimiterRedis, key: string, nowMs: number): Promise<Allowance> {
    try {
      const { remainingPoints, msBeforeNext } = await limiter.consume(hideValue(key))
      return { passed: true, remaining: remainingPoints, waitMs: 0, fullMs: msBeforeNext }
    } catch (rejection) {
      if (rejection instanceof Error) {
        this.#link.failed(rejection)
        return this.#local.take(key, performance.now())
      }
      const { msBeforeNext } = rejection as RedisVerdict
      this.#remember(key, nowMs + msBeforeNext)
      return this.#refusal(msBeforeNext)
    }
  }

  #refusal(waitMs: number): Allowance {
    const intervalMs = this.#fullMs / this.#burst
    return { passed: false, remaining: 0, waitMs, fullMs: waitMs + this.#fullMs - intervalMs }
  }

  #remember(key: string, untilMs: number): void {
    this.#refusedUntilMs.delete(key)
    if (this.#refusedUntilMs.size >= MAX_REFUSED) {
      const [oldest] = this.#refusedUntilMs.keys()
      if (oldest !== undefined) this.#refusedUntilMs.delete(oldest)
    }
    this.#refusedUntilMs.set(key, untilMs)
  }

  #open(): RateLimiterRedis | undefined {
    this.#limiter ??= this.#link.createLimiter(this.#id, this.#burst, this.#fullMs)
    return this.#limiter
  }
}

/** What a client sends in a header or a cookie is often a secret: it does not leave this machine. */
function hideValue(key: string): string {
  return key.startsWith('=') ? `=${hash('sha256', key, 'base64url')}` : key
}
