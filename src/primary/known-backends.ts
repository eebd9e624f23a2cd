import { listUpstreams } from '../config/balancing-config.ts'
import type { BackendConfig, Config } from '../config/config.ts'
import type { HealthCheckConfig } from '../config/health-config.ts'
import { findNearest } from '../config/nearest.ts'
import type { CheckTarget } from '../health/health-checks.ts'
import { deriveBackendKey } from '../upstream/backend.ts'
import { describeBackend, nameBackend } from '../upstream/backend-authority.ts'
import { type Discovered, expandMembers } from '../upstream/discovery/discovered.ts'
import { createTlsOptions } from '../upstream/tls-options.ts'

/** A backend of the configuration, or one of those that a name in it stands for. */
export interface KnownBackend {
  readonly key: string
  /** `host:port`. */
  readonly name: string
  /** Those that have it. */
  readonly upstreams: readonly string[]
  readonly targets: readonly CheckTarget[]
  /** Longest of its upstreams; 0: none starts it slowly. */
  readonly slowStartMs: number
}

/** In the order of the upstreams, shared ones first. */
export function listKnownBackends(config: Config, found: Discovered): KnownBackend[] {
  const known = new Map<string, { name: string; upstreams: string[]; targets: CheckTarget[]; slowStartMs: number }>()
  for (const { name: upstream, backends, healthCheck, slowStartMs } of listUpstreams(config)) {
    for (const member of expandMembers(backends, found)) {
      const key = deriveBackendKey(member)
      const one = known.get(key) ?? { name: nameBackend(member), upstreams: [], targets: [], slowStartMs: 0 }
      known.set(key, one)
      one.slowStartMs = Math.max(one.slowStartMs, slowStartMs)
      one.upstreams.push(upstream)
      if (healthCheck !== undefined) one.targets.push(createTarget(key, member, healthCheck))
    }
  }
  return [...known].map(([key, one]) => ({ key, ...one }))
}

/**
 * The backend that is meant by `host:port`, or `upstream/host:port` where several with that address differ in TLS. Throws
 * where there is none, or more than one.
 */
export function findKnownBackend(backends: readonly KnownBackend[], wanted: string): KnownBackend {
  const word = wanted.toLowerCase()
  const named = backends.filter(({ name }) => name.toLowerCase() === word)
  const qualified = backends.filter((one) => listLongNames(one).some((name) => name.toLowerCase() === word))
  const [backend, ...others] = named.length > 0 ? named : qualified
  if (backend === undefined) {
    const near = findNearest(wanted, [...backends.map(({ name }) => name), ...backends.flatMap(listLongNames)])
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
    throw new Error(`there is no backend ${JSON.stringify(wanted)}${hint}`)
  }
  if (others.length > 0) {
    const names = [backend, ...others].flatMap(listLongNames)
    throw new Error(`several backends have the name ${JSON.stringify(wanted)}: say ${names.join(' or ')}`)
  }
  return backend
}

function listLongNames({ name, upstreams }: KnownBackend): string[] {
  return upstreams.map((upstream) => `${upstream}/${name}`)
}

function createTarget(key: string, backend: BackendConfig, config: HealthCheckConfig): CheckTarget {
  const { host, port, tls, address } = backend
  return {
    key,
    config,
    host: address ?? host,
    port: config.port ?? port,
    hostField: describeBackend(backend).hostField,
    tlsOptions: tls && (() => createTlsOptions(host, tls)),
  }
}
