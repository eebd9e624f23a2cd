import type { DrainLimits } from '../ipc/protocol.ts'
import { type RestartPolicy, restartWaitMs } from './restart-policy.ts'
import { drainLimitsOf, type ServingState } from './serving-state.ts'
import type { StartOutcome, WorkerHandle } from './worker-handle.ts'

export interface SlotContext {
  readonly policy: RestartPolicy
  spawn(slot: number, state: ServingState): WorkerHandle
  /** `isInCrashLoop` may have changed. */
  deathsChanged(): void
}

const CLOSED: StartOutcome = { ok: false, problem: 'the workers are being stopped' }

/** The place of one worker: whoever dies in it is replaced, until the slot is closed. */
export class Slot {
  readonly id: number
  readonly #context: SlotContext
  #state: ServingState
  #worker: WorkerHandle | undefined
  #crashes = 0
  #deathsInARow = 0
  #held = false
  #closed = false
  #restart: NodeJS.Timeout | undefined
  #recovery: NodeJS.Timeout | undefined

  /** Empty until `launch`. */
  constructor(id: number, state: ServingState, context: SlotContext) {
    this.id = id
    this.#state = state
    this.#context = context
  }

  /** The worker that serves in this slot, or is being started to. */
  get worker(): WorkerHandle | undefined {
    return this.#worker
  }

  /** Deaths that nobody asked for. */
  get crashes(): number {
    return this.#crashes
  }

  get isInCrashLoop(): boolean {
    return this.#deathsInARow >= this.#context.policy.loopAfter
  }

  /** Starts a worker in an empty slot. */
  launch(): void {
    clearTimeout(this.#restart)
    this.#restart = undefined
    if (this.#closed || this.#held || this.#worker !== undefined) return
    this.#install(this.#context.spawn(this.id, this.#state))
  }

  /** What workers are started with from now on; the one that runs is not touched, an empty slot is filled at once. */
  use(state: ServingState): void {
    this.#state = state
    this.launch()
  }

  /** Until `release` nothing is started here. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    if (this.#restart === undefined) this.launch()
  }

  /**
   * Starts a worker with another state beside the one that serves, and retires that one when the new one is ready and
   * stopped accepting. Where the new one does not become ready, nothing has changed.
   */
  async replace(state: ServingState): Promise<StartOutcome & { readonly pid: number }> {
    if (this.#closed) return { ...CLOSED, pid: 0 }
    const next = this.#context.spawn(this.id, state)
    const { pid } = next
    const outcome = await next.started
    if (!outcome.ok) {
      next.kill(outcome.problem)
      return { ...outcome, pid }
    }
    if (this.#closed) {
      await next.drain(drainLimitsOf(state))
      return { ...CLOSED, pid }
    }
    const previous = this.#worker
    const limits = drainLimitsOf(this.#state)
    this.#state = state
    this.#install(next)
    await previous?.drain(limits)
    return { ok: true, pid }
  }

  /** Nothing is started here any more, and the worker leaves. Resolves when it has stopped accepting. */
  async close(limits: DrainLimits = drainLimitsOf(this.#state)): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restart)
    clearTimeout(this.#recovery)
    await this.#worker?.drain(limits)
  }

  #install(worker: WorkerHandle): void {
    clearTimeout(this.#restart)
    this.#restart = undefined
    this.#worker = worker
    void worker.started.then(({ ok }) => ok && this.#watchRecovery(worker))
    void worker.gone.then(() => this.#bury(worker))
  }

  #watchRecovery(worker: WorkerHandle): void {
    if (this.#worker !== worker || this.#closed) return
    clearTimeout(this.#recovery)
    this.#recovery = setTimeout(() => this.#countDeaths(0), this.#context.policy.healthyMs)
  }

  #bury(worker: WorkerHandle): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    clearTimeout(this.#recovery)
    if (this.#closed) return
    this.#crashes += 1
    this.#countDeaths(this.#deathsInARow + 1)
    if (this.#held) return
    this.#restart = setTimeout(() => this.launch(), restartWaitMs(this.#deathsInARow, this.#context.policy))
  }

  #countDeaths(deaths: number): void {
    if (this.#deathsInARow === deaths) return
    this.#deathsInARow = deaths
    this.#context.deathsChanged()
  }
}
