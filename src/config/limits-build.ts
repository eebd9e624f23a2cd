import { listLimits } from './checks/limits.ts'
import type { LimitKeyConfig, RateLimitConfig, RedisConfig } from './limits-config.ts'
import type { RedisSettings } from './schema/limits.ts'
import type { RouteSettings } from './schema/route.ts'

export function buildRateLimits(route: RouteSettings): RateLimitConfig[] {
  return listLimits(route).map(({ requests, per, burst = requests, key, dry_run, store }) => ({
    requests,
    perMs: per,
    burst,
    key: buildKey(key),
    dryRun: dry_run,
    store,
  }))
}

export function buildRedis(redis: RedisSettings): RedisConfig | undefined {
  if (redis === undefined) return undefined
  return { url: redis.url, password: redis.password, prefix: redis.prefix, timeoutMs: redis.timeout }
}

function buildKey(text: string): LimitKeyConfig {
  if (text === 'ip' || text === 'route') return { kind: text }
  const colon = text.indexOf(':')
  return { kind: text.startsWith('header') ? 'header' : 'cookie', name: text.slice(colon + 1) }
}
