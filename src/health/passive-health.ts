import type { PassiveHealthConfig } from '../config/health-config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { UpstreamReason } from '../upstream/engine.ts'
import { countAnswer, countConnectionFailure, FIRST_BACKOFF_MS } from './circuit.ts'
import { countFailure, mayEject, prolongEjection } from './ejection.ts'
import { createTrouble } from './trouble.ts'

/** A probe that nobody hears of again does not keep a circuit open for longer. */
const PROBE_WITHIN_MS = 60_000

/** The backend could not be reached, or did not keep up the connection until it answered. */
const CONNECTION_REASONS: ReadonlySet<UpstreamReason> = new Set([
  'connect_failed',
  'connect_timeout',
  'tls_failed',
  'backend_reset',
])

/** Changes what groups of backends choose by. Times by the clock of `performance.now()`. */
export interface HealthKeeper {
  /** It is ejected until then. */
  eject(backend: Backend, untilMs: number, why: string): void
  /** Its circuit is open until then. */
  openCircuit(backend: Backend, untilMs: number, why: string): void
  closeCircuit(backend: Backend): void
  /** Its circuit stays open until then while one attempt finds out. */
  holdCircuit(backend: Backend, untilMs: number): void
}

/**
 * What the requests of one upstream tell of its backends. Failures within a window (no response, or 502, 503, 504) eject a
 * backend for a while, but never more of them than `maxEjected`. Connections that fail one after another open its circuit
 * instead, whatever `maxEjected` says, because such a backend serves nobody: then nothing goes there but one probe after
 * each backoff, and a probe that is answered closes it.
 */
export interface PassiveHealth {
  /** A response head came. */
  answered(backend: Backend, status: number, isProbe: boolean): void
  /** There was no response. */
  failed(backend: Backend, reason: UpstreamReason, isProbe: boolean): void
  /** To be called with what was picked and has `openUntilMs` set: the attempt is the probe then, until one of the others. */
  probe(backend: Backend): void
  /** The probe ended without telling anything: the client left. */
  abandon(backend: Backend): void
}

/** `members`: the backends of the upstream as of now. */
export function createPassiveHealth(
  config: PassiveHealthConfig,
  members: () => readonly Backend[],
  keeper: HealthKeeper,
  nowMs: () => number = () => performance.now(),
): PassiveHealth {
  function countTowardsEjection(backend: Backend, why: string): void {
    const { state } = backend
    const atMs = nowMs()
    // What fails while it is ejected was asked before, or in a panic.
    if (state.ejectedUntilMs > atMs) return
    state.trouble ??= createTrouble()
    if (!countFailure(state.trouble, config, atMs)) return
    const all = new Set(members())
    let ejected = 0
    for (const one of all) if (one.state.ejectedUntilMs > atMs) ejected++
    if (!mayEject(ejected, all.size, config)) return
    keeper.eject(backend, prolongEjection(state.trouble, config, state.ejectedUntilMs, atMs), why)
  }

  return {
    answered(backend, status, isProbe) {
      const { trouble } = backend.state
      const isFailure = status >= 502 && status <= 504
      if (trouble === undefined && !isFailure) return
      if (trouble !== undefined && countAnswer(trouble, isProbe)) keeper.closeCircuit(backend)
      if (isFailure) countTowardsEjection(backend, `status ${status}`)
    },
    failed(backend, reason, isProbe) {
      if (!isProbe && !CONNECTION_REASONS.has(reason)) {
        countTowardsEjection(backend, reason)
        return
      }
      const { state } = backend
      state.trouble ??= createTrouble()
      const openMs = countConnectionFailure(state.trouble, config, isProbe)
      if (openMs !== undefined) keeper.openCircuit(backend, nowMs() + openMs, reason)
      // An open circuit is enough: an ejection would last although the backend is back.
      if (state.trouble.openings > 0) state.trouble.failedAtMs.length = 0
      else countTowardsEjection(backend, reason)
    },
    probe: (backend) => keeper.holdCircuit(backend, nowMs() + PROBE_WITHIN_MS),
    abandon: (backend) => keeper.holdCircuit(backend, nowMs() + FIRST_BACKOFF_MS),
  }
}
