import type { BackendConfig } from '../config/config.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import { type Backend, createBackend, deriveBackendKey } from './backend.ts'

/** Knows every backend that a snapshot names, so that the next snapshot meets the same ones with their history. */
export class BackendRegistry {
  readonly #backends = new Map<string, Backend>()
  readonly #metrics: WorkerMetrics

  constructor(metrics: WorkerMetrics) {
    this.#metrics = metrics
  }

  /** The backends of a new snapshot, in the order of `configs`; equal settings share one backend. */
  acquire(configs: readonly BackendConfig[]): Backend[] {
    return configs.map((config) => {
      const key = deriveBackendKey(config)
      const known = this.#backends.get(key)
      if (known !== undefined) return known
      const backend = createBackend(config, this.#metrics, key)
      this.#backends.set(key, backend)
      return backend
    })
  }

  /** To be called once the snapshot is in force. Keeps the named backends only and returns the others: nothing may use their kept connections any more. */
  retain(named: readonly Backend[]): Backend[] {
    const kept = new Set(named.map(({ key }) => key))
    const dropped = [...this.#backends.values()].filter(({ key }) => !kept.has(key))
    for (const { key } of dropped) this.#backends.delete(key)
    return dropped
  }
}
