import type { Balancer, BalancerSources } from './balancer.ts'
import { type Member, sumShares } from './member.ts'

/** Any, by weight. */
export function createRandom({ random }: Pick<BalancerSources, 'random'>): Balancer {
  return { pick: (members) => drawMember(members, random() * sumShares(members), undefined) }
}

/** The member in whose part of the sum of all shares `point` lies; `without` has no part in it. */
export function drawMember(members: readonly Member[], point: number, without: Member | undefined): Member | undefined {
  let left = point
  let last: Member | undefined
  for (const member of members) {
    if (member === without) continue
    last = member
    left -= member.share
    if (left < 0) break
  }
  // Where rounding leaves a rest, it is the last one's.
  return last
}
