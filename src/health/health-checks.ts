import type { HealthCheckConfig } from '../config/health-config.ts'
import { BackendCheck, type CheckSources, type LastCheck } from './backend-check.ts'
import { type CheckPlace, check } from './check.ts'

/** A backend that is to be checked. */
export interface CheckTarget extends CheckPlace {
  /** The backend's: equal keys mean the same backend. */
  readonly key: string
  readonly config: HealthCheckConfig
}

export interface HealthCheckHandlers {
  /** That backend may be up now, or down. */
  changed(key: string): void
  /** A check of it was good, whatever the thresholds say. */
  passed(key: string): void
}

const SOURCES: CheckSources = { random: Math.random, nowMs: () => performance.now() }

/**
 * Checks backends, each as its upstreams say. Upstreams that share a backend and its settings share the check; where
 * they have other settings it is down when any of their checks says so.
 */
export class HealthChecks {
  readonly #handlers: HealthCheckHandlers
  readonly #sources: CheckSources
  /** By the key of the backend, then by what is checked. */
  readonly #checks = new Map<string, Map<string, BackendCheck>>()

  constructor(handlers: HealthCheckHandlers, sources: CheckSources = SOURCES) {
    this.#handlers = handlers
    this.#sources = sources
  }

  /** Checks these from now on, and no others; those that go on as they were keep their history. */
  use(targets: readonly CheckTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.key, new Map<string, CheckTarget>()]))
    for (const target of targets) wanted.get(target.key)?.set(describe(target), target)
    for (const [key, checks] of this.#checks) {
      for (const [id, one] of checks) {
        if (wanted.get(key)?.has(id)) continue
        one.close()
        checks.delete(id)
      }
      if (checks.size === 0) this.#checks.delete(key)
    }
    for (const [key, ids] of wanted) for (const [id, target] of ids) this.#start(key, id, target)
  }

  isDown(key: string): boolean {
    return this.#of(key).some(({ isUp }) => !isUp)
  }

  /** Of a backend that is down that which says so, else the latest; undefined where there was none. */
  last(key: string): LastCheck | undefined {
    const all = this.#of(key)
    const speaking = all.filter(({ isUp }) => !isUp)
    const results = (speaking.length > 0 ? speaking : all).flatMap(({ last }) => last ?? [])
    return results.toSorted((a, b) => b.atMs - a.atMs)[0]
  }

  close(): void {
    this.use([])
  }

  #of(key: string): BackendCheck[] {
    return [...(this.#checks.get(key)?.values() ?? [])]
  }

  #start(key: string, id: string, target: CheckTarget): void {
    const checks = this.#checks.get(key) ?? new Map<string, BackendCheck>()
    this.#checks.set(key, checks)
    if (checks.has(id)) return
    const run = () => check(target, target.config)
    const { changed, passed } = this.#handlers
    const hearers = { changed: () => changed(key), passed: () => passed(key) }
    checks.set(id, new BackendCheck(target.config, run, hearers, this.#sources))
  }
}

function describe({ host, port, hostField, config }: CheckTarget): string {
  return JSON.stringify([host, port, hostField, config])
}
