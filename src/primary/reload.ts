import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { planReload, type ReloadPlan } from '../config/diff.ts'
import type { LoadResult } from '../config/load.ts'
import { formatProblem } from '../config/problem-format.ts'
import type { FileWatch } from '../config/watch.ts'
import type { ReloadReport } from '../ipc/control.ts'
import type { Problem } from '../problem.ts'
import type { AdminListener, AdminMove } from './admin-listener.ts'
import { type PublishOutcome, publishState } from './publish.ts'
import { rollWorkers } from './rolling.ts'
import type { ServingState } from './serving-state.ts'
import { bindSockets, closeSockets } from './socket-set.ts'
import type { Supervisor } from './supervisor.ts'

export type ReloadTrigger = ReloadReport['trigger']

export interface ReloadContext {
  readonly supervisor: Supervisor
  readonly logger: Logger
  load(): Promise<LoadResult>
  readonly watch: FileWatch
  readonly admin: Pick<AdminListener, 'prepare'>
  accepted(config: Config): void
  /** Finds the names of its backends, as far as that does not take long. */
  discover(config: Config): Promise<void>
  /** As the snapshot has it. Throws where it cannot be kept. */
  stickySecret(config: Config): string
}

interface Work extends PublishOutcome {
  readonly plan: ReloadPlan
  readonly problems: readonly Problem[]
}

/** How often a change ended in each way. */
export type ReloadResults = Record<'success' | 'failure' | 'unchanged', number>

/** How long the work of the watch counts as the answer to a command. */
const RECENT_MS = 5_000

const NOTHING: ReloadPlan = {
  kind: 'none',
  routes: { added: [], changed: [], removed: [] },
  changedKeys: [],
  reasons: [],
}

/** Takes changes of the configuration, one at a time; whatever goes wrong, the old state serves on. */
export class Reloader {
  readonly #context: ReloadContext
  #last: ReloadReport | undefined
  /** What the watch did by itself since anybody asked, and when. */
  #unasked: { readonly report: ReloadReport; readonly atMs: number } | undefined
  #rolling = false
  readonly #results: ReloadResults = { success: 0, failure: 0, unchanged: 0 }
  #lastSuccessAtMs = Date.now()
  #running: Promise<ReloadReport> | undefined
  #waiting: Promise<ReloadReport> | undefined

  constructor(context: ReloadContext) {
    this.#context = context
  }

  /** The last change, or the last try of one. */
  get last(): ReloadReport | undefined {
    return this.#last
  }

  get results(): Readonly<ReloadResults> {
    return this.#results
  }

  /** When the configuration that is served was taken. */
  get lastSuccessAtMs(): number {
    return this.#lastSuccessAtMs
  }

  get activity(): 'running' | 'reloading' | 'rolling' {
    if (this.#running === undefined) return 'running'
    return this.#rolling ? 'rolling' : 'reloading'
  }

  /** A request that comes while another waits for its turn shares that one's: it will read the newest file anyway. */
  request(trigger: ReloadTrigger): Promise<ReloadReport> {
    if (this.#running === undefined) return this.#start(trigger)
    if (this.#waiting !== undefined && trigger !== 'restart') return this.#waiting
    const previous = this.#waiting ?? this.#running
    const waiting = previous.then(() => {
      if (this.#waiting === waiting) this.#waiting = undefined
      return this.#start(trigger)
    })
    this.#waiting = waiting
    return waiting
  }

  #start(trigger: ReloadTrigger): Promise<ReloadReport> {
    const running = this.#reload(trigger).finally(() => {
      this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #reload(trigger: ReloadTrigger): Promise<ReloadReport> {
    const startedMs = performance.now()
    const at = new Date().toISOString()
    const { plan, problems, error, workers } = await this.#work(trigger)
    const report: ReloadReport = {
      ok: error === undefined,
      trigger,
      at,
      tookMs: performance.now() - startedMs,
      kind: plan.kind,
      version: this.#context.supervisor.state.snapshot.version,
      routes: plan.routes,
      changedKeys: plan.changedKeys,
      workers,
      problems: problems.filter(({ severity }) => severity === 'error'),
      warnings: problems.filter(({ severity }) => severity !== 'error'),
      error,
    }
    const isNothing = report.ok && report.kind === 'none' && trigger !== 'restart'
    this.#results[report.ok ? (isNothing ? 'unchanged' : 'success') : 'failure'] += 1
    if (report.ok) this.#lastSuccessAtMs = Date.now()
    if (isNothing) return this.#recall(report)
    this.#last = report
    this.#unasked = trigger === 'watch' ? { report, atMs: performance.now() } : undefined
    this.#log(report)
    return report
  }

  async #work(trigger: ReloadTrigger): Promise<Work> {
    const { supervisor, logger, load, watch } = this.#context
    try {
      await watch.mark()
      const loaded = await load()
      await watch.update(loaded.watchFiles)
      const { problems } = loaded
      if (!loaded.ok) return { plan: NOTHING, problems, error: 'the configuration has errors', workers: [] }
      const change = planReload(supervisor.state.snapshot.config, loaded.config)
      const plan: ReloadPlan = trigger === 'restart' ? { ...change, kind: 'roll' } : change
      return { plan, problems, ...(await this.#carryOut(plan, loaded.config)) }
    } catch (error) {
      // A fault of this program: it would end the daemon, and with it everything that serves.
      logger.error({ err: error }, 'the reload broke off')
      return { plan: NOTHING, problems: [], error: `the reload broke off: ${String(error)}`, workers: [] }
    }
  }

  /** The watch is often faster than who saved the file and asks for it: what it did is the answer then. */
  #recall(nothing: ReloadReport): ReloadReport {
    // A file that was broken is as before again: the failure is over.
    if (this.#last?.ok === false) this.#last = nothing
    const unasked = this.#unasked
    if (nothing.trigger === 'watch' || unasked === undefined) return nothing
    this.#unasked = undefined
    return unasked.report.ok && performance.now() - unasked.atMs < RECENT_MS ? unasked.report : nothing
  }

  async #carryOut(plan: ReloadPlan, config: Config): Promise<PublishOutcome> {
    const { admin, accepted } = this.#context
    if (plan.kind === 'none') return { error: undefined, workers: [] }
    let move: AdminMove
    try {
      move = await admin.prepare(config.admin)
    } catch (error) {
      return { error: (error as Error).message, workers: [] }
    }
    let isTaken = false
    try {
      const outcome = await this.#publish(plan, config)
      isTaken = outcome.error === undefined
      if (isTaken) accepted(config)
      return outcome
    } finally {
      if (isTaken) move.commit()
      else await move.discard()
    }
  }

  async #publish(plan: ReloadPlan, config: Config): Promise<PublishOutcome> {
    const { supervisor } = this.#context
    const { state } = supervisor
    const stickySecret = this.#context.stickySecret(config)
    const snapshot = { ...state.snapshot, version: state.snapshot.version + 1, config, stickySecret }
    await this.#context.discover(config)
    await supervisor.settleStarts()
    // Where no worker lives there is nobody to ask: new ones must show that they can serve it.
    const rolls = plan.kind === 'roll' || supervisor.readyWorkers().length === 0
    return rolls
      ? this.#roll({ ...state, snapshot, generation: state.generation + 1 })
      : publishState(supervisor, { ...state, snapshot })
  }

  async #roll(next: ServingState): Promise<PublishOutcome> {
    const { supervisor } = this.#context
    const { sockets: before } = supervisor.state
    this.#rolling = true
    try {
      const sockets = await bindSockets(next.snapshot.config.server.listen, before)
      const { problem, workers } = await rollWorkers(supervisor, { ...next, sockets })
      if (problem === undefined) closeSockets(before, sockets)
      else closeSockets(sockets, before)
      return { error: problem, workers }
    } catch (error) {
      return { error: (error as Error).message, workers: [] }
    } finally {
      this.#rolling = false
    }
  }

  #log(report: ReloadReport): void {
    const { logger } = this.#context
    const { trigger, kind, version, routes, workers, tookMs, error, problems } = report
    const fields = { trigger, kind, version, took_ms: Math.round(tookMs) }
    if (report.ok) logger.info({ ...fields, routes, workers: workers.length }, 'configuration reloaded')
    else
      logger.error(
        { ...fields, error, problems: problems.map(formatProblem) },
        'reload failed: the old state serves on',
      )
  }
}
