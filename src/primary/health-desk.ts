import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { HealthChecks } from '../health/health-checks.ts'
import type { BackendReport, BackendRequest } from '../ipc/control.ts'
import type { BackendTrouble, HealthStates } from '../ipc/health-messages.ts'
import type { HealthMessage } from '../ipc/protocol.ts'
import type { Discovered } from '../upstream/discovery/discovered.ts'
import { findKnownBackend, type KnownBackend, listKnownBackends } from './known-backends.ts'
import { TroubleBook } from './trouble-book.ts'

export interface HealthDeskOptions {
  readonly logger: Logger
  /** Resolves when every worker that serves has taken it. */
  readonly tell: (message: HealthMessage) => Promise<void>
  /** Whoever has an open circuit there may let a probe through now. */
  readonly hurryProbe: (key: string) => void
}

/**
 * What is known of the health of all backends: what the checks say, who is drained, and what workers told of requests.
 * It lives as long as the daemon: over reloads and rolling restarts, and not over a stop.
 */
export class HealthDesk {
  readonly #options: HealthDeskOptions
  readonly #checks = new HealthChecks({
    changed: (key) => this.#noteCheck(key),
    passed: (key) => this.#notePass(key),
  })
  readonly #troubles = new TroubleBook()
  /** By key, with the name: an address that a name does not stand for at the moment is still drained when it does again. */
  readonly #drained = new Map<string, KnownBackend>()
  /** When what is told of a backend became so: milliseconds since 1970. */
  readonly #sinceMs = new Map<string, number>()
  /** Backends that are as they are since then had no slow start. */
  #beganMs: number | undefined
  #backends: readonly KnownBackend[] = []
  #order = 0

  constructor(options: HealthDeskOptions) {
    this.#options = options
  }

  /** These are the backends from now on, those that the names of the configuration stand for included. */
  watch(config: Config, found: Discovered): void {
    this.#backends = listKnownBackends(config, found)
    const keys = new Set(this.#backends.map(({ key }) => key))
    this.#troubles.keep(keys)
    for (const key of this.#sinceMs.keys()) if (!keys.has(key) && !this.#drained.has(key)) this.#sinceMs.delete(key)
    const nowMs = Date.now()
    this.#beganMs ??= nowMs
    for (const key of keys) if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, nowMs)
    this.#checks.use(this.#backends.flatMap(({ targets }) => targets))
    void this.#tell()
  }

  /** For a worker that is to begin: it knows everything before it serves. */
  briefing(): HealthMessage {
    return {
      type: 'health',
      order: this.#order,
      states: this.#states(),
      troubles: this.#troubles.list(),
      risen: this.#risen(),
    }
  }

  /** What the requests of a worker told of a backend. */
  noteTrouble(worker: number, trouble: BackendTrouble): void {
    const backend = this.#backends.find(({ key }) => key === trouble.key)
    if (backend === undefined) return
    this.#troubles.note(worker, trouble)
    this.#sinceMs.set(trouble.key, Date.now())
    this.#logTrouble(worker, backend.name, trouble)
  }

  /** Throws where there is no such backend. */
  async answer(request: BackendRequest): Promise<readonly BackendReport[]> {
    if (request.command === 'backends') return this.report()
    const backend = findKnownBackend(this.#backends, request.name)
    const isDrained = request.command === 'drain'
    if (this.#drained.has(backend.key) !== isDrained) {
      if (isDrained) this.#drained.set(backend.key, backend)
      else this.#drained.delete(backend.key)
      this.#sinceMs.set(backend.key, Date.now())
      this.#options.logger.info({ backend: backend.name }, isDrained ? 'backend is drained' : 'backend is enabled')
    }
    await this.#tell()
    return [this.#reportOne(backend)]
  }

  /** In the order of the configuration. */
  report(): BackendReport[] {
    return this.#backends.map((backend) => this.#reportOne(backend))
  }

  close(): void {
    this.#checks.close()
  }

  #states(): HealthStates {
    const down = this.#backends.filter(({ key }) => this.#checks.isDown(key))
    return {
      ...Object.fromEntries(down.map(({ key }) => [key, 'down' as const])),
      ...Object.fromEntries([...this.#drained.keys()].map((key) => [key, 'drained' as const])),
    }
  }

  #risen(): Record<string, number> {
    const nowMs = Date.now()
    const ages = this.#backends.flatMap(({ key, slowStartMs }): [string, number][] => {
      const sinceMs = this.#sinceMs.get(key) ?? 0
      // The clock may have gone back.
      const ageMs = Math.max(0, nowMs - sinceMs)
      return sinceMs > (this.#beganMs ?? 0) && ageMs < slowStartMs ? [[key, ageMs]] : []
    })
    return Object.fromEntries(ages)
  }

  #tell(): Promise<void> {
    this.#order++
    return this.#options.tell({ type: 'health', order: this.#order, states: this.#states(), troubles: [], risen: {} })
  }

  #noteCheck(key: string): void {
    const backend = this.#backends.find((one) => one.key === key)
    if (backend === undefined) return
    const isDown = this.#checks.isDown(key)
    const fields = { backend: backend.name, upstreams: backend.upstreams }
    if (isDown) this.#options.logger.warn({ ...fields, why: this.#checks.last(key)?.why }, 'backend is down')
    else this.#options.logger.info(fields, 'backend is up')
    this.#sinceMs.set(key, Date.now())
    if (!isDown) this.#troubles.forget(key)
    void this.#tell()
  }

  #notePass(key: string): void {
    if ((this.#troubles.sum(key)?.openIn ?? 0) > 0) this.#options.hurryProbe(key)
  }

  #logTrouble(worker: number, backend: string, { ejectedForMs, openForMs, openings, why }: BackendTrouble): void {
    const { logger } = this.#options
    const fields = { backend, worker_pid: worker }
    if (why === '') logger.info(fields, 'backend answers again')
    else if (openings > 0 && openForMs > 0) {
      logger.warn({ ...fields, why, for_ms: Math.round(openForMs) }, 'backend cannot be reached: its circuit is open')
    } else logger.warn({ ...fields, why, for_ms: Math.round(ejectedForMs) }, 'backend is ejected')
  }

  #reportOne({ key, name, upstreams, targets }: KnownBackend): BackendReport {
    const trouble = this.#troubles.sum(key)
    const last = this.#checks.last(key)
    const isDown = this.#checks.isDown(key)
    return {
      name,
      upstreams,
      state: this.#drained.has(key) ? 'drained' : isDown ? 'down' : describeTrouble(trouble),
      since: new Date(this.#sinceMs.get(key) ?? Date.now()).toISOString(),
      why: (isDown ? last?.why : trouble?.why) ?? '',
      checked: targets.length > 0,
      lastCheck: last && { at: new Date(last.atMs).toISOString(), tookMs: last.tookMs, why: last.why },
      ejectedBy: trouble?.ejectedBy ?? 0,
      openIn: trouble?.openIn ?? 0,
    }
  }
}

function describeTrouble(trouble: { openIn: number; ejectedBy: number } | undefined): BackendReport['state'] {
  if (trouble === undefined) return 'up'
  return trouble.openIn > 0 ? 'circuit_open' : 'ejected'
}
