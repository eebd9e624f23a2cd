import type { Member } from './member.ts'

/**
 * Whose turn it is, by shares and smoothly: of 3 to 1 the one does not get three in a row. Members whose cost is over
 * `most` are passed over.
 */
export function takeTurn(members: readonly Member[], most: number): Member | undefined {
  let total = 0
  let next: Member | undefined
  for (const member of members) {
    if (member.cost > most) continue
    const { turn, share } = member
    turn.owed += share
    total += share
    if (next === undefined || turn.owed > next.turn.owed) next = member
  }
  if (next !== undefined) next.turn.owed -= total
  return next
}
