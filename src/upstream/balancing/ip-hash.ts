import type { Balancer, BalancerSources } from './balancer.ts'
import { hashText } from './hash.ts'
import { createRandom } from './random.ts'
import { pickByHash } from './rendezvous.ts'

/** The same for every request of one client address. */
export function createIpHash(sources: Pick<BalancerSources, 'random'>): Balancer {
  const { pick } = createRandom(sources)
  return {
    pick(members, input) {
      const { address } = input.identity
      return address === '' ? pick(members, input) : pickByHash(members, hashText(address, 0))
    },
  }
}
