import type { Balancer } from './balancer.ts'
import { hashText } from './hash.ts'
import { pickByHash } from './rendezvous.ts'

/** The same for every request for one path, whatever the query. */
export function createPathHash(): Balancer {
  return {
    pick(members, { head: { target } }) {
      const start = findPath(target)
      const query = target.indexOf('?', start)
      return pickByHash(members, hashText(target, start, query === -1 ? target.length : query))
    },
  }
}

/** Where the path begins; an absolute target (RFC 9112 §3.2.2) has scheme and authority before it. */
function findPath(target: string): number {
  if (target.startsWith('/')) return 0
  const authority = target.indexOf('://')
  const path = authority === -1 ? -1 : target.indexOf('/', authority + 3)
  return path === -1 ? 0 : path
}
