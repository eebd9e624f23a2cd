import { agedFirstByte } from '../latency.ts'
import type { Balancer, BalancerSources } from './balancer.ts'
import { loadOf, type Member } from './member.ts'
import { takeTurn } from './turns.ts'

/** What a backend is taken to need that was asked and has not answered yet: others are tried before it is asked again. */
const UNKNOWN_MS = 1_000

/** The one with the least average time to first byte times what is open there, for its weight; equals take turns. */
export function createLeastTime({ nowMs }: Pick<BalancerSources, 'nowMs'>): Balancer {
  return {
    pick(members) {
      const now = nowMs()
      let least = Number.POSITIVE_INFINITY
      for (const member of members) {
        member.cost = estimateCost(member, now)
        if (member.cost < least) least = member.cost
      }
      return takeTurn(members, least)
    },
  }
}

function estimateCost(member: Member, nowMs: number): number {
  const { state } = member.backend
  const load = loadOf(member)
  if (state.firstByteMs === 0) return (load * UNKNOWN_MS) / member.share
  return (agedFirstByte(state, nowMs) * (load + 1)) / member.share
}
