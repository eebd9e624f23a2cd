import type { RetriesConfig } from '../config/retries-config.ts'
import type { UpstreamReason } from '../upstream/engine.ts'
import { RetryBudget } from './retry-budget.ts'

/** The wait doubles with each try up to so many times the first one. */
const MOST_DOUBLED = 10

/** When an exchange is tried again with another backend; compiled once per route. */
export interface RetryPolicy {
  /** Tries in all; at least 2. */
  readonly attempts: number
  readonly reasons: ReadonlySet<UpstreamReason>
  readonly statuses: ReadonlySet<number>
  /** Those that may reach a backend twice. */
  readonly methods: ReadonlySet<string>
  readonly bufferBytes: number
  readonly backoffMs: number
  readonly budget: RetryBudget
}

const CONNECT: readonly UpstreamReason[] = ['connect_failed', 'connect_timeout', 'tls_failed']

/** Undefined where the route has no retries. */
export function compileRetryPolicy(config: RetriesConfig, workers: number): RetryPolicy | undefined {
  const { attempts, on, methods, budget, bufferBytes, backoffMs } = config
  if (attempts === 1) return undefined
  const reasons: UpstreamReason[] = on.connect ? [...CONNECT] : []
  if (on.reset) reasons.push('backend_reset')
  if (on.timeout) reasons.push('response_timeout')
  return {
    attempts,
    reasons: new Set(reasons),
    statuses: new Set(on.statuses),
    methods: new Set(methods),
    bufferBytes,
    backoffMs,
    budget: new RetryBudget(budget, workers),
  }
}

/** Milliseconds before a try; `attempt` 2 is the first retry; `random` from 0 to 1, so that retries do not come together. */
export function waitBeforeRetry({ backoffMs }: RetryPolicy, attempt: number, random: number): number {
  return Math.round(random * backoffMs * Math.min(2 ** (attempt - 2), MOST_DOUBLED))
}
