import type { BackendConfig } from '../config/config.ts'
import type { HealthKeeper } from '../health/passive-health.ts'
import type { BackendTrouble, HealthStates } from '../ipc/health-messages.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import type { AvailabilityEpoch } from './availability.ts'
import { type Backend, type BackendState, createBackend, createBackendState, deriveBackendKey } from './backend.ts'
import { type Discovered, NOTHING_DISCOVERED } from './discovery/discovered.ts'

/** Knows every backend that a snapshot names, so that the next snapshot meets the same ones with their history. */
export class BackendRegistry implements HealthKeeper {
  readonly epoch: AvailabilityEpoch = { value: 0 }
  #found = NOTHING_DISCOVERED
  readonly #backends = new Map<string, Backend>()
  readonly #metrics: WorkerMetrics
  readonly #nowMs: () => number
  readonly #troubled: (trouble: BackendTrouble) => void
  #isInForce = false
  #states: HealthStates = {}

  /** `nowMs`: the clock of `performance.now()`. `troubled`: a backend was ejected, or its circuit opened or closed. */
  constructor(
    metrics: WorkerMetrics,
    nowMs: () => number = () => performance.now(),
    troubled: (trouble: BackendTrouble) => void = () => {},
  ) {
    this.#metrics = metrics
    this.#nowMs = nowMs
    this.#troubled = troubled
  }

  /** The backends of a new snapshot, in the order of `configs`; equal settings share one backend. */
  acquire(configs: readonly BackendConfig[]): Backend[] {
    return configs.map((config) => {
      const key = deriveBackendKey(config)
      const known = this.#backends.get(key)
      if (known !== undefined) return known
      // Those of the first snapshot begin together: none of them has to start slowly.
      const state = createBackendState(this.#isInForce ? this.#nowMs() : 0)
      const backend = createBackend(config, this.#metrics, state, key)
      state.health = this.#states[key] ?? 'up'
      this.#backends.set(key, backend)
      return backend
    })
  }

  /** To be called once the snapshot is in force. Keeps the named backends only and returns the others: nothing may use their kept connections any more. */
  retain(named: readonly Backend[]): Backend[] {
    this.#isInForce = true
    const kept = new Set(named.map(({ key }) => key))
    const dropped = [...this.#backends.values()].filter(({ key }) => !kept.has(key))
    for (const { key } of dropped) this.#backends.delete(key)
    return dropped
  }

  /** What is known of the names of backends. */
  get found(): Discovered {
    return this.#found
  }

  /** Groups of backends take it into account with their next pick. */
  discover(found: Discovered): void {
    this.#found = found
    this.epoch.value++
  }

  find(key: string): Backend | undefined {
    return this.#backends.get(key)
  }

  /** What is known of the health of all backends, those to come too: who is not named is up. */
  applyStates(states: HealthStates): void {
    this.#states = states
    for (const backend of this.#backends.values()) this.setHealth(backend, states[backend.key] ?? 'up')
  }

  /** A backend that was down and is up has made up for everything. */
  setHealth({ state }: Backend, health: BackendState['health']): void {
    if (state.health === health) return
    if (state.health === 'down' && health === 'up') forgive(state)
    state.health = health
    if (health === 'up') state.upSinceMs = this.#nowMs()
    this.epoch.value++
  }

  /** It came up so long ago: another worker has begun its slow start. */
  noteRise(key: string, ageMs: number): void {
    const state = this.#backends.get(key)?.state
    if (state === undefined || state.health !== 'up') return
    state.upSinceMs = this.#nowMs() - ageMs
    this.epoch.value++
  }

  /** Until then, by the clock of `performance.now()`, it is not available; 0 takes that back. */
  eject(backend: Backend, untilMs: number, why = ''): void {
    backend.state.ejectedUntilMs = untilMs
    this.epoch.value++
    this.#report(backend, why)
  }

  openCircuit(backend: Backend, untilMs: number, why: string): void {
    this.holdCircuit(backend, untilMs)
    this.#report(backend, why)
  }

  closeCircuit(backend: Backend): void {
    backend.state.openUntilMs = 0
    backend.state.upSinceMs = this.#nowMs()
    this.epoch.value++
    this.#report(backend, '')
  }

  holdCircuit({ state }: Backend, untilMs: number): void {
    state.openUntilMs = untilMs
    this.epoch.value++
  }

  /** Somebody reached it: where its circuit is open, the next attempt is the probe. */
  hurryProbe(key: string): void {
    const backend = this.#backends.get(key)
    const nowMs = this.#nowMs()
    if (backend !== undefined && backend.state.openUntilMs > nowMs) this.holdCircuit(backend, nowMs)
  }

  /** What other workers went through with it counts here too. */
  inherit({ key, ejectedForMs, ejections, openForMs, openings }: BackendTrouble): void {
    const state = this.#backends.get(key)?.state
    if (state === undefined) return
    const nowMs = this.#nowMs()
    state.trouble = { failedAtMs: [], ejections, inARow: 0, openings }
    if (ejectedForMs > 0) state.ejectedUntilMs = nowMs + ejectedForMs
    if (openings > 0) state.openUntilMs = nowMs + openForMs
    this.epoch.value++
  }

  #report({ key, state }: Backend, why: string): void {
    const nowMs = this.#nowMs()
    this.#troubled({
      key,
      ejectedForMs: Math.max(0, state.ejectedUntilMs - nowMs),
      ejections: state.trouble?.ejections ?? 0,
      openForMs: Math.max(0, state.openUntilMs - nowMs),
      openings: state.trouble?.openings ?? 0,
      why,
    })
  }
}

function forgive(state: BackendState): void {
  state.ejectedUntilMs = 0
  state.openUntilMs = 0
  state.trouble = undefined
}
