import type { RequestHead } from '../../exchange.ts'
import type { Member } from './member.ts'

/** What a choice among backends may depend on. */
export interface PickInput {
  readonly head: RequestHead
  readonly identity: {
    /** Of the client that is believed, behind trusted proxies; '' where it is gone already. */
    readonly address: string
  }
}

/** Chooses a backend for one attempt. */
export interface Balancer {
  /** One of `members`, all of which are available; undefined where there are none. Allocates nothing. */
  pick(members: readonly Member[], input: PickInput): Member | undefined
}

/** Where chance and time come from. */
export interface BalancerSources {
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** The clock of `performance.now()`. */
  readonly nowMs: () => number
}
