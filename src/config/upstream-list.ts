import type { Config, UpstreamConfig } from './config.ts'

/** Every group of backends, those that routes share first. */
export function listUpstreams({ upstreams, routes }: Pick<Config, 'upstreams' | 'routes'>): UpstreamConfig[] {
  const own = routes.flatMap(({ action }) =>
    action.kind === 'proxy' && typeof action.upstream !== 'string' ? [action.upstream] : [],
  )
  return [...upstreams, ...own]
}
