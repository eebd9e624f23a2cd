import type { Logger } from 'pino'
import type { BackendTrouble } from '../ipc/health-messages.ts'
import type { DrainLimits, HealthMessage, ToWorker } from '../ipc/protocol.ts'
import type { MetricsDelta } from '../metrics/delta.ts'
import type { Deadlines } from './deadlines.ts'
import type { LimitDesk } from './limit-desk.ts'
import type { RestartPolicy } from './restart-policy.ts'
import { type ServingState, stopLimitsOf } from './serving-state.ts'
import { Slot } from './slot.ts'
import type { WorkerEnd } from './worker-end.ts'
import { type StartOutcome, WorkerHandle } from './worker-handle.ts'
import type { WorkerProgram } from './worker-process.ts'

export interface SupervisorOptions {
  readonly program: WorkerProgram
  readonly deadlines: Deadlines
  readonly policy: RestartPolicy
  /** What all workers share. */
  readonly limits: LimitDesk
  readonly logger: Logger
  /** What a worker counted. */
  readonly counted: (delta: MetricsDelta) => void
  /** What its requests told of a backend. */
  readonly troubled: (worker: WorkerHandle, trouble: BackendTrouble) => void
  /** What a new worker has to know besides the state, before it serves. */
  readonly briefing: () => readonly ToWorker[]
}

/** Keeps one worker alive in each slot, on the state that was last accepted. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #live = new Set<WorkerHandle>()
  #slots: Slot[] = []
  #state: ServingState
  #crashLoop = false
  #stopping = false
  #forced = false
  #deaths = 0

  constructor(state: ServingState, options: SupervisorOptions) {
    this.#state = state
    this.#options = options
  }

  get state(): ServingState {
    return this.#state
  }

  get slots(): readonly Slot[] {
    return this.#slots
  }

  /** Every process that is not gone, those that drain too. */
  get workers(): Iterable<WorkerHandle> {
    return this.#live
  }

  get crashLoop(): boolean {
    return this.#crashLoop
  }

  /** Workers that ended without being asked to, since the beginning. */
  get deaths(): number {
    return this.#deaths
  }

  get isStopping(): boolean {
    return this.#stopping
  }

  readyWorkers(): WorkerHandle[] {
    return this.#slots.flatMap(({ worker }) => (worker?.phase === 'ready' ? [worker] : []))
  }

  /** Resolves when no slot is in the middle of a start. */
  async settleStarts(): Promise<void> {
    await Promise.all(this.#slots.map(({ worker }) => worker?.started))
  }

  /**
   * Adds slots up to `count`, and resolves when all new workers are ready. Where one does not become ready, none of them
   * stays.
   */
  async grow(count: number, state: ServingState): Promise<StartOutcome> {
    if (this.#stopping) return { ok: false, problem: 'the workers are being stopped' }
    const added: Slot[] = []
    for (let id = this.#slots.length; id < count; id += 1) added.push(this.#addSlot(id, state))
    const workers = added.flatMap(({ worker }) => worker ?? [])
    const failed = await findFailure(workers)
    if (failed === undefined) return { ok: true }
    this.#slots = this.#slots.filter((slot) => !added.includes(slot))
    await Promise.all(added.map((slot) => slot.close()))
    await Promise.all(workers.map(({ gone }) => gone))
    return failed
  }

  /** Takes slots away from the highest down to `count`; resolves when their workers have stopped accepting. */
  async shrink(count: number): Promise<void> {
    const surplus = this.#slots.slice(count)
    this.#slots = this.#slots.slice(0, count)
    await Promise.all(surplus.map((slot) => slot.close()))
    this.#checkCrashLoop()
  }

  /** The state that every worker is started with from now on. */
  adopt(state: ServingState): void {
    this.#state = state
    for (const slot of this.#slots) slot.use(state)
  }

  /** Until `release` no worker is started to replace another. */
  hold(): void {
    for (const slot of this.#slots) slot.hold()
  }

  release(): void {
    for (const slot of this.#slots) slot.release()
  }

  /** Tells all of them, those that drain too. */
  tell(message: ToWorker): void {
    for (const worker of this.#live) worker.tell(message)
  }

  /** Lets every worker drain. Resolves when all are gone, to whether anything had to be ended by force. */
  async stop(limits: DrainLimits = stopLimitsOf(this.#state)): Promise<{ readonly forced: boolean }> {
    this.#stopping = true
    for (const slot of this.#slots) void slot.close(limits)
    const ends = await this.#drainLive(limits)
    return { forced: this.#forced || ends.some(({ manner }) => manner === 'cut' || manner === 'killed') }
  }

  /** Resolves when every worker that serves goes by it, or is not going to say so. */
  async tellHealth(message: HealthMessage): Promise<void> {
    await Promise.all(
      [...this.#live].map((one) => (one.phase === 'ready' ? one.tellHealth(message) : one.tell(message))),
    )
  }

  /** Ends every worker at once. */
  kill(reason: string): void {
    this.#forced = true
    for (const worker of this.#live) worker.kill(reason)
  }

  async #drainLive(limits: DrainLimits): Promise<WorkerEnd[]> {
    const leaving = [...this.#live].map(async (worker) => {
      await worker.drain(limits)
      return worker.gone
    })
    return Promise.all(leaving)
  }

  #addSlot(id: number, state: ServingState): Slot {
    const slot = new Slot(id, state, {
      policy: this.#options.policy,
      spawn: (slotId, slotState) => this.#spawn(slotId, slotState),
      deathsChanged: () => this.#checkCrashLoop(),
    })
    this.#slots.push(slot)
    slot.launch()
    return slot
  }

  #spawn(slot: number, state: ServingState): WorkerHandle {
    const { program, deadlines, limits, logger, counted, troubled, briefing } = this.#options
    const worker = new WorkerHandle({
      slot,
      state,
      program,
      deadlines,
      counted,
      troubled,
      briefing,
      limits,
      failed: ({ pid }, error) => logger.warn({ worker: slot, worker_pid: pid, err: error }, 'worker message lost'),
    })
    this.#live.add(worker)
    void worker.gone.then((end) => {
      this.#live.delete(worker)
      if (end.manner === 'died') this.#deaths += 1
      this.#logEnd(worker, end)
    })
    return worker
  }

  #logEnd({ slot, pid }: WorkerHandle, { manner, cut, how, reason, stderr }: WorkerEnd): void {
    const { logger } = this.#options
    const fields = { worker: slot, worker_pid: pid, ...(reason === undefined ? {} : { reason }) }
    if (manner === 'died') logger.error({ ...fields, ...(stderr === '' ? {} : { stderr }) }, `worker died: it ${how}`)
    else if (manner === 'cut') logger.warn({ ...fields, cut }, 'worker left and cut what was still open')
    else if (manner === 'killed') logger.warn(fields, 'worker was killed')
    else logger.info(fields, 'worker left')
  }

  #checkCrashLoop(): void {
    const crashLoop = this.#slots.some((slot) => slot.isInCrashLoop)
    if (crashLoop === this.#crashLoop) return
    this.#crashLoop = crashLoop
    const { logger } = this.#options
    if (crashLoop) logger.error('workers keep dying: restarts are held back')
    else logger.info('workers live again')
  }
}

/** The first failure, as soon as it is known. */
function findFailure(workers: readonly WorkerHandle[]): Promise<StartOutcome | undefined> {
  return new Promise((resolve) => {
    for (const { started } of workers) void started.then((outcome) => !outcome.ok && resolve(outcome))
    void Promise.all(workers.map(({ started }) => started)).then(() => resolve(undefined))
  })
}
