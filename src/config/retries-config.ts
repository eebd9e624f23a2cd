import type { RetriesSettings } from './schema/retries.ts'

export interface RetriesConfig {
  /** Tries in all, 1–10. */
  readonly attempts: number
  readonly on: {
    readonly connect: boolean
    readonly reset: boolean
    readonly timeout: boolean
    readonly statuses: readonly number[]
  }
  /** Upper case: those that may reach a backend twice. */
  readonly methods: readonly string[]
  /** A share of 1. */
  readonly budget: number
  readonly bufferBytes: number
  /** Milliseconds; 0: at once. */
  readonly backoffMs: number
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']

export function buildRetries({ attempts, on, methods, budget, buffer, backoff }: RetriesSettings): RetriesConfig {
  const named = methods.flatMap((name) => (name === 'IDEMPOTENT' ? IDEMPOTENT : [name]))
  return {
    attempts,
    on: {
      connect: on.includes('connect'),
      reset: on.includes('reset'),
      timeout: on.includes('timeout'),
      statuses: on.filter((trigger) => typeof trigger === 'number'),
    },
    methods: [...new Set(named)],
    budget,
    bufferBytes: buffer,
    backoffMs: backoff,
  }
}
