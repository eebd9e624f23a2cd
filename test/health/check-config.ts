import type { HealthCheckConfig } from '../../src/config/health-config.ts'
import type { CheckPlace } from '../../src/health/check.ts'

/** A check of `/`, with patience for a slow machine. */
export function checkOf(settings: Partial<HealthCheckConfig> = {}): HealthCheckConfig {
  return {
    kind: 'http',
    path: '/',
    host: undefined,
    headers: [],
    statuses: [[200, 399]],
    body: undefined,
    intervalMs: 10_000,
    unhealthyIntervalMs: 10_000,
    timeoutMs: 10_000,
    healthy: 2,
    unhealthy: 3,
    port: undefined,
    ...settings,
  }
}

export function placeAt(port: number, settings: Partial<CheckPlace> = {}): CheckPlace {
  return { host: '127.0.0.1', port, hostField: `backend.test:${port}`, tlsOptions: undefined, ...settings }
}
