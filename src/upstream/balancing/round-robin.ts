import type { Balancer } from './balancer.ts'
import { takeTurn } from './turns.ts'

/** One after another, by weight. */
export function createRoundRobin(): Balancer {
  return { pick: (members) => takeTurn(members, 0) }
}
