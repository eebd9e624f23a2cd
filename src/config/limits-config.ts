/** One allowance of a route: GCRA (the generic cell rate algorithm), that is a bucket that fills evenly. */
export interface RateLimitConfig {
  /** At least 1, in `perMs` milliseconds. */
  readonly requests: number
  readonly perMs: number
  /** Most requests at once, at least 1: what the bucket holds. */
  readonly burst: number
  readonly key: LimitKeyConfig
  /** Log what would be refused instead of refusing it. */
  readonly dryRun: boolean
  readonly store: 'memory' | 'redis'
}

/** What is counted as one client. */
export type LimitKeyConfig =
  | { readonly kind: 'ip' | 'route' }
  /** `name` in lower case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }

export interface RedisConfig {
  /** `redis:` or `rediss:`; may hold a user, a password and a database. */
  readonly url: string
  /** Wins over that of the URL; undefined: that of the URL, or none. */
  readonly password: string | undefined
  /** Before every key. */
  readonly prefix: string
  /** For one request to Redis. */
  readonly timeoutMs: number
}
