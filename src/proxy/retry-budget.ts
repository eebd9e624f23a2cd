/** Tokens that a quiet time can save up, so that a burst of failures does not find none. */
const MOST_TOKENS = 10
/** Over all workers: so many retries may be under way whatever the budget says. */
const LEAST_UNDER_WAY = 3

/**
 * Keeps retries to a share of the requests: each request puts that share of a token in, each retry takes a whole one
 * out. A few may be under way at any time, so that a quiet route has retries too. Per worker and route.
 */
export class RetryBudget {
  readonly #share: number
  readonly #leastUnderWay: number
  #tokens = 0
  #underWay = 0

  /** `share` of 1. */
  constructor(share: number, workers: number) {
    this.#share = share
    this.#leastUnderWay = share === 0 ? 0 : Math.ceil(LEAST_UNDER_WAY / workers)
  }

  noteRequest(): void {
    this.#tokens = Math.min(MOST_TOKENS, this.#tokens + this.#share)
  }

  /** False: there is to be no retry. Else `release` is due when it is over. */
  take(): boolean {
    if (this.#tokens >= 1) this.#tokens--
    else if (this.#underWay >= this.#leastUnderWay) return false
    this.#underWay++
    return true
  }

  release(): void {
    this.#underWay--
  }
}
