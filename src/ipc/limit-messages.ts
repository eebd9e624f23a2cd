import type { LimitRule } from '../limits/limit-rule.ts'

/** What a worker says of one limit; the notes come first. */
export interface LimitAsk {
  readonly limit: string
  readonly rule: LimitRule
  readonly notes: readonly LimitNote[]
  readonly asks: readonly KeyAsk[]
}

/**
 * What became of what was lent: `used` passed, `back` is not needed. `answers`: it is all that a recall can bring. Of
 * what passed without having been lent the first did so `ageMs` ago.
 */
export type LimitNote = readonly [key: string, used: number, back: number, answers: boolean, ageMs: number]

/** `need` requests wait for the answer; `want` more are expected soon. */
export type KeyAsk = readonly [key: string, need: number, want: number]

/** What the primary says of one limit. */
export interface LimitReply {
  readonly limit: string
  readonly grants: readonly KeyGrant[]
  /** Keys of which everything unused is to be noted as given back, at once. */
  readonly recalls: readonly string[]
}

/**
 * The answer to an ask: of the needed, `given` may pass; `extra` is lent; `left` is what nobody has taken. `waitMs`
 * until one more could pass, `fullMs` until all could that the burst allows.
 */
export type KeyGrant = readonly [
  key: string,
  given: number,
  extra: number,
  left: number,
  waitMs: number,
  fullMs: number,
]
