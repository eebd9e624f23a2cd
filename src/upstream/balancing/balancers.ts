import type { BalancingConfig } from '../../config/balancing-config.ts'
import type { Balancer, BalancerSources } from './balancer.ts'
import { createHeaderHash } from './header-hash.ts'
import { createIpHash } from './ip-hash.ts'
import { createLeastConnections } from './least-connections.ts'
import { createLeastTime } from './least-time.ts'
import { createPathHash } from './path-hash.ts'
import { createPowerOfTwo } from './power-of-two.ts'
import { createRandom } from './random.ts'
import { createRoundRobin } from './round-robin.ts'

export function createBalancer(balancing: BalancingConfig, sources: BalancerSources): Balancer {
  switch (balancing.kind) {
    case 'round_robin':
      return createRoundRobin()
    case 'least_connections':
      return createLeastConnections()
    case 'power_of_two':
      return createPowerOfTwo(sources)
    case 'least_time':
      return createLeastTime(sources)
    case 'random':
      return createRandom(sources)
    case 'ip_hash':
      return createIpHash(sources)
    case 'path_hash':
      return createPathHash()
    case 'header_hash':
      return createHeaderHash(balancing.header, sources)
  }
}
