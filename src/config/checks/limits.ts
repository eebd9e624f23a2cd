import { routePath } from '../backend-places.ts'
import type { KeyPath } from '../key-path.ts'
import type { Report } from '../report.ts'
import type { RateLimitSettings } from '../schema/limits.ts'
import type { RouteSettings } from '../schema/route.ts'
import type { ServerSettings } from '../schema/server.ts'

/** What the schema cannot see of the routes' limits: what they need elsewhere, and of each other. */
export function checkLimits(
  routes: readonly (RouteSettings | undefined)[],
  server: ServerSettings,
  isRedisBroken: boolean,
  report: Report,
): void {
  for (const [index, route] of routes.entries()) {
    if (route === undefined) continue
    const limits = listLimits(route)
    const seen = new Map<string, KeyPath>()
    for (const { limit, path } of locate(route.rate_limit, limits, [...routePath(index), 'rate_limit'])) {
      if (limit.store === 'redis' && server.redis === undefined && !isRedisBroken) {
        report.error([...path, 'store'], 'store: redis needs server.redis', {
          hint: 'add it: redis: { url: redis://localhost:6379 }',
        })
      }
      const rate = `${limit.key} ${limit.per}`
      const earlier = seen.get(rate)
      if (earlier === undefined) seen.set(rate, path)
      else {
        const place = report.describePlace(earlier)
        report.error(path, `the limit on ${place} has the same key and the same time`, {
          expected: 'limits of one route that differ in key or per',
        })
      }
    }
  }
}

/** The limits of a route, from either of the two shapes that the key may have. */
export function listLimits({ rate_limit }: RouteSettings): readonly RateLimitSettings[] {
  if (rate_limit === undefined) return []
  return Array.isArray(rate_limit) ? rate_limit : [rate_limit]
}

function locate(setting: RouteSettings['rate_limit'], limits: readonly RateLimitSettings[], path: KeyPath) {
  return limits.map((limit, i) => ({ limit, path: Array.isArray(setting) ? [...path, i] : path }))
}
