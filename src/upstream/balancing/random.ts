import type { Balancer, BalancerSources } from './balancer.ts'

/** Any, by weight. */
export function createRandom({ random }: Pick<BalancerSources, 'random'>): Balancer {
  return { pick: (members) => drawByShare(members, random() * sumShares(members), undefined) }
}

/** The item in whose part of the sum of all shares `point` lies; `without` has no part in it. */
export function drawByShare<T extends { readonly share: number }>(
  items: readonly T[],
  point: number,
  without: T | undefined,
): T | undefined {
  let left = point
  let last: T | undefined
  for (const item of items) {
    if (item === without) continue
    last = item
    left -= item.share
    if (left < 0) break
  }
  // Where rounding leaves a rest, it is the last one's.
  return last
}

export function sumShares(items: readonly { readonly share: number }[]): number {
  let sum = 0
  for (const { share } of items) sum += share
  return sum
}
