import { mixBits } from './hash.ts'

const RANGE = 2 ** 32

/**
 * The member with the highest score for this key (highest random weight). A member that goes takes only its own keys
 * with it, and one that comes gets its share of each of the others'; by shares, in the logarithmic form.
 */
export function pickByHash<T extends { readonly share: number; readonly seed: number }>(
  members: readonly T[],
  keyHash: number,
): T | undefined {
  let highest = Number.NEGATIVE_INFINITY
  let best: T | undefined
  for (const member of members) {
    // In (0, 1), so that the logarithm is negative and finite.
    const chance = (mixBits(keyHash ^ member.seed) + 0.5) / RANGE
    const score = member.share / -Math.log(chance)
    if (score <= highest) continue
    highest = score
    best = member
  }
  return best
}
