import type { Backend, Turn } from '../backend.ts'
import { hashText } from './hash.ts'

/** A backend in a group, as one snapshot has it. */
export interface Member {
  readonly backend: Backend
  /** As configured; at least 0. */
  readonly weight: number
  /** Of the requests, against the shares of the others: the weight, or less while the backend starts slowly. More than 0. */
  share: number
  /** Outlives the snapshot. */
  readonly turn: Turn
  /** Of the pick under way. */
  cost: number
  /** Tells the members apart in hashes; the same in every worker. */
  readonly seed: number
}

export function createMember(backend: Backend, upstream: string, weight: number): Member {
  const { turns } = backend.state
  const turn = turns.get(upstream) ?? { owed: 0 }
  turns.set(upstream, turn)
  return { backend, weight, share: weight, turn, cost: 0, seed: hashText(backend.key, 0) }
}

/** Requests and tunnels that this worker has open there. */
export function loadOf({ backend: { state } }: Member): number {
  return state.inFlight + state.tunnels
}
