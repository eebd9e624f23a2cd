import type { Balancer } from './balancer.ts'
import { loadOf } from './member.ts'
import { takeTurn } from './turns.ts'

/** The one with the least open for its weight; equals take turns. */
export function createLeastConnections(): Balancer {
  return {
    pick(members) {
      let least = Number.POSITIVE_INFINITY
      for (const member of members) {
        member.cost = loadOf(member) / member.share
        if (member.cost < least) least = member.cost
      }
      return takeTurn(members, least)
    },
  }
}
