import type { HealthCheckSettings, PassiveHealthSettings } from './schema/health.ts'

/** How the primary asks each backend of an upstream whether it is well. */
export interface HealthCheckConfig {
  readonly kind: 'http' | 'tcp' | 'tls'
  readonly path: string
  /** The Host field; undefined: the backend's own. */
  readonly host: string | undefined
  /** Name and value. */
  readonly headers: readonly (readonly [string, string])[]
  /** From and to, both included. */
  readonly statuses: readonly (readonly [number, number])[]
  /** To be found in the response's body; undefined: any body will do. */
  readonly body: string | undefined
  readonly intervalMs: number
  /** In place of it while the backend is down. */
  readonly unhealthyIntervalMs: number
  /** At most `intervalMs`. */
  readonly timeoutMs: number
  /** Good checks in a row that bring a backend up; at least 1. */
  readonly healthy: number
  /** Bad ones that bring it down; at least 1. */
  readonly unhealthy: number
  /** Undefined: the backend's own. */
  readonly port: number | undefined
}

/** When the requests themselves tell that a backend is not well. */
export interface PassiveHealthConfig {
  /** So many failures within `windowMs` eject a backend; at least 1. */
  readonly failures: number
  readonly windowMs: number
  /** For how long at first. */
  readonly ejectMs: number
  /** The share of the backends of an upstream that may be ejected, 0–1. */
  readonly maxEjected: number
}

const USUAL_TIMEOUT_MS = 2_000

export const USUAL_PASSIVE_HEALTH: PassiveHealthConfig = {
  failures: 5,
  windowMs: 10_000,
  ejectMs: 30_000,
  maxEjected: 0.5,
}

export function buildHealthCheck(settings: HealthCheckSettings): HealthCheckConfig {
  const { type, path, host, headers, status, body, interval, unhealthy_interval, timeout } = settings
  const { healthy, unhealthy, port } = settings
  return {
    kind: type,
    path,
    host,
    headers: Object.entries(headers),
    statuses: (Array.isArray(status) ? status : [status]).map(readRange),
    body,
    intervalMs: interval,
    unhealthyIntervalMs: unhealthy_interval ?? interval,
    timeoutMs: timeout ?? Math.min(USUAL_TIMEOUT_MS, interval),
    healthy,
    unhealthy,
    port,
  }
}

/** `isOn`: what counts where the file says nothing. */
export function buildPassiveHealth(
  settings: PassiveHealthSettings | undefined,
  isOn: boolean,
): PassiveHealthConfig | undefined {
  if (settings === undefined) return isOn ? USUAL_PASSIVE_HEALTH : undefined
  if (typeof settings === 'boolean') return settings ? USUAL_PASSIVE_HEALTH : undefined
  const { failures, window, eject, max_ejected } = settings
  return { failures, windowMs: window, ejectMs: eject, maxEjected: max_ejected }
}

/** Of `200` or `200-399`, which the schema lets pass. */
function readRange(text: string | number): readonly [number, number] {
  const [from = 0, to = from] = String(text).split('-').map(Number)
  return [from, to]
}
