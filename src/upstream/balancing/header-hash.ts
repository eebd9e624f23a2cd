import { findHeader } from '../../header-list.ts'
import type { Balancer, BalancerSources } from './balancer.ts'
import { hashText } from './hash.ts'
import { createRandom } from './random.ts'
import { pickByHash } from './rendezvous.ts'

/** The same for every request with one value in that field; without the field, any. `header` is in lower case. */
export function createHeaderHash(header: string, sources: Pick<BalancerSources, 'random'>): Balancer {
  const { pick } = createRandom(sources)
  return {
    pick(members, input) {
      const value = findHeader(input.head.headers, header)
      return value === undefined ? pick(members, input) : pickByHash(members, hashText(value, 0))
    },
  }
}
