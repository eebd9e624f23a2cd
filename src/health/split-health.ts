import type { Backend } from '../upstream/backend.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { PassiveHealth } from './passive-health.ts'

export interface WatchedUpstream {
  readonly upstream: Upstream
  readonly passive: PassiveHealth | undefined
}

/** That of several upstreams: what becomes of a backend is told to the first one that has it. Undefined where none is watched. */
export function joinPassiveHealth(parts: readonly WatchedUpstream[]): PassiveHealth | undefined {
  if (parts.every(({ passive }) => passive === undefined)) return undefined
  const find = (backend: Backend) => parts.find(({ upstream }) => upstream.backends.includes(backend))?.passive
  return {
    answered: (backend, status, isProbe) => find(backend)?.answered(backend, status, isProbe),
    failed: (backend, reason, isProbe) => find(backend)?.failed(backend, reason, isProbe),
    probe: (backend) => find(backend)?.probe(backend),
    abandon: (backend) => find(backend)?.abandon(backend),
  }
}
