import type { Balancer, BalancerSources } from './balancer.ts'
import { loadOf } from './member.ts'
import { drawByShare, sumShares } from './random.ts'

/** Two drawn by weight, and of them the one with less open for its weight: near the best, without the herd behind it. */
export function createPowerOfTwo({ random }: Pick<BalancerSources, 'random'>): Balancer {
  return {
    pick(members) {
      const total = sumShares(members)
      const first = drawByShare(members, random() * total, undefined)
      if (first === undefined) return undefined
      const second = drawByShare(members, random() * (total - first.share), first)
      if (second === undefined) return first
      return loadOf(second) / second.share < loadOf(first) / first.share ? second : first
    },
  }
}
