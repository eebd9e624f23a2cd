import type { BackendConfig } from '../config/config.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import type { AvailabilityEpoch } from './availability.ts'
import { type Backend, type BackendState, createBackend, createBackendState, deriveBackendKey } from './backend.ts'
import { type Discovered, NOTHING_DISCOVERED } from './discovery/discovered.ts'

/** Knows every backend that a snapshot names, so that the next snapshot meets the same ones with their history. */
export class BackendRegistry {
  readonly epoch: AvailabilityEpoch = { value: 0 }
  #found = NOTHING_DISCOVERED
  readonly #backends = new Map<string, Backend>()
  readonly #metrics: WorkerMetrics
  readonly #nowMs: () => number
  #isInForce = false

  /** `nowMs`: the clock of `performance.now()`. */
  constructor(metrics: WorkerMetrics, nowMs: () => number = () => performance.now()) {
    this.#metrics = metrics
    this.#nowMs = nowMs
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

  setHealth({ state }: Backend, health: BackendState['health']): void {
    if (state.health === health) return
    state.health = health
    if (health === 'up') state.upSinceMs = this.#nowMs()
    this.epoch.value++
  }

  /** Until then, by the clock of `performance.now()`, it is not available; 0 takes that back. */
  eject({ state }: Backend, untilMs: number): void {
    state.ejectedUntilMs = untilMs
    this.epoch.value++
  }
}
