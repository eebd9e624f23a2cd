import type { HealthCheckConfig } from '../config/health-config.ts'
import type { CheckResult } from './check-result.ts'
import { type CheckState, createCheckState, noteCheck } from './check-state.ts'

/** By so much of it an interval is longer or shorter, so that checks do not come together. */
const JITTER = 0.1
/** A backend is checked for the first time within this, or within its interval. */
const FIRST_WITHIN_MS = 2_000

export interface CheckSources {
  /** From 0 to 1. */
  readonly random: () => number
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number
}

export interface LastCheck {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly tookMs: number
  /** '' where it was good. */
  readonly why: string
}

export interface CheckHearers {
  /** It is up now, or down. */
  changed(): void
  /** A check was good, whatever the thresholds say. */
  passed(): void
}

/** Checks one backend again and again, one check after another. */
export class BackendCheck {
  readonly config: HealthCheckConfig
  readonly #run: () => Promise<CheckResult>
  readonly #hearers: CheckHearers
  readonly #sources: CheckSources
  readonly #state: CheckState = createCheckState()
  #last: LastCheck | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(
    config: HealthCheckConfig,
    run: () => Promise<CheckResult>,
    hearers: CheckHearers,
    sources: CheckSources,
  ) {
    this.config = config
    this.#run = run
    this.#hearers = hearers
    this.#sources = sources
    this.#schedule(sources.random() * Math.min(FIRST_WITHIN_MS, config.intervalMs))
  }

  get isUp(): boolean {
    return this.#state.isUp
  }

  get last(): LastCheck | undefined {
    return this.#last
  }

  /** The result of a check that is under way is not heard any more. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #schedule(waitMs: number): void {
    this.#timer = setTimeout(() => void this.#check(), waitMs)
  }

  async #check(): Promise<void> {
    const { nowMs, random } = this.#sources
    const startedMs = nowMs()
    const atMs = Date.now()
    const result = await this.#run()
    if (this.#isClosed) return
    const tookMs = nowMs() - startedMs
    this.#last = { atMs, tookMs, why: result.ok ? '' : result.why }
    const hasChanged = noteCheck(this.#state, result.ok, this.config)
    const intervalMs = this.#state.isUp ? this.config.intervalMs : this.config.unhealthyIntervalMs
    const jitter = 1 + (random() * 2 - 1) * JITTER
    this.#schedule(Math.max(0, intervalMs * jitter - tookMs))
    if (hasChanged) this.#hearers.changed()
    if (result.ok) this.#hearers.passed()
  }
}
