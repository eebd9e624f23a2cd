import type { Backend } from '../upstream/backend.ts'
import { type RetryPolicy, waitBeforeRetry } from './retry-policy.ts'

/** The further attempts of one exchange, made when the first one failed. */
export class Retries {
  /** Backends that were asked already. */
  readonly tried: Backend[] = []
  readonly #policy: RetryPolicy
  #timer: NodeJS.Timeout | undefined
  #isUnderWay = false

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  /** Whether the policy has another attempt for this exchange, after those in `tried`; the budget is not asked. */
  get areLeft(): boolean {
    return this.tried.length < this.#policy.attempts
  }

  /** False: the budget does not allow another attempt. Else `schedule` follows, and `end` when it is over. */
  take(): boolean {
    this.end()
    this.#isUnderWay = this.#policy.budget.take()
    return this.#isUnderWay
  }

  /** Calls `send` when it is time for the next attempt, unless `end` comes before. */
  schedule(send: () => void): void {
    const waitMs = waitBeforeRetry(this.#policy, this.tried.length + 1, Math.random())
    if (waitMs === 0) send()
    else this.#timer = setTimeout(send, waitMs)
  }

  /** The attempt that was allowed is over, or will not be made. */
  end(): void {
    clearTimeout(this.#timer)
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    this.#policy.budget.release()
  }
}
