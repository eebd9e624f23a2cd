import type { Config, UpstreamConfig } from './config.ts'

/** How an upstream chooses among its backends. */
export type BalancingConfig =
  | {
      readonly kind:
        | 'round_robin'
        | 'least_connections'
        | 'power_of_two'
        | 'least_time'
        | 'random'
        | 'ip_hash'
        | 'path_hash'
    }
  | {
      readonly kind: 'header_hash'
      /** Lower case. */
      readonly header: string
    }

/** A client that comes back with this cookie is sent to the same backend again. */
export interface StickyConfig {
  readonly cookie: string
  /** What the cookie is signed with; undefined: a secret that the primary keeps in its run directory. */
  readonly secret: string | undefined
}

/** As it stands in a file: `header_hash:x-user`. */
export function formatBalancing(balancing: BalancingConfig): string {
  return balancing.kind === 'header_hash' ? `header_hash:${balancing.header}` : balancing.kind
}

/** Every group of backends: those that routes share, and then those of single routes. */
export function listUpstreams({ upstreams, routes }: Config): UpstreamConfig[] {
  const own = routes.flatMap(({ action }) =>
    action.kind === 'proxy' && typeof action.upstream !== 'string' ? [action.upstream] : [],
  )
  return [...upstreams, ...own]
}
