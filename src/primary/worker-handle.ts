import { type Channel, openChannelToWorker } from '../ipc/channel.ts'
import type { ConfigSnapshot, DrainLimits, HealthMessage, ToPrimary, ToWorker, WorkerStats } from '../ipc/protocol.ts'
import type { WorkerGauges } from '../metrics/delta.ts'
import { MAX_TIMER_MS } from '../timer.ts'
import { type Ack, AckDesk, type AckKind } from './ack-desk.ts'
import { createBeatWatch } from './beat-watch.ts'
import type { Deadlines } from './deadlines.ts'
import type { LimitSeat } from './limit-desk.ts'
import type { ServingState } from './serving-state.ts'
import { describeFailedStart, describeManner, type WorkerEnd } from './worker-end.ts'
import type { WorkerHandleOptions } from './worker-handle-options.ts'
import { spawnWorkerProcess, type WorkerProcess } from './worker-process.ts'

export type WorkerPhase = 'starting' | 'ready' | 'draining' | 'gone'

export type StartOutcome = { readonly ok: true } | { readonly ok: false; readonly problem: string }

/** One worker process, from its start to its end. It moves from phase to phase in order, and may skip to the last. */
export class WorkerHandle {
  readonly slot: number
  readonly generation: number
  readonly startedAtMs = Date.now()
  /** Settles when it is ready, or when it is sure that it will not be. Never rejects. */
  readonly started: Promise<StartOutcome>
  /** Resolves when the process is gone. */
  readonly gone: Promise<WorkerEnd>
  readonly #process: WorkerProcess
  readonly #channel: Channel<ToWorker>
  readonly #deadlines: Deadlines
  readonly #acks = new AckDesk()
  readonly #counted: WorkerHandleOptions['counted']
  readonly #briefing: WorkerHandleOptions['briefing']
  readonly #troubled: WorkerHandleOptions['troubled']
  readonly #limits: LimitSeat
  readonly #beats
  #phase: WorkerPhase = 'starting'
  #stats: WorkerStats | undefined
  #gauges: WorkerGauges | undefined
  #problem: string | undefined
  #killedFor: string | undefined
  #leaves: 'asked' | 'dismissed' | undefined
  #cut = 0
  #settleStart: (outcome: StartOutcome) => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor({ slot, state, program, deadlines, limits, failed, counted, briefing, troubled }: WorkerHandleOptions) {
    this.slot = slot
    this.generation = state.generation
    this.#deadlines = deadlines
    this.#limits = limits.join({ send: (replies) => this.#channel.send({ type: 'limit_reply', limits: replies }) })
    this.#counted = counted
    this.#briefing = briefing
    this.#troubled = troubled
    this.started = new Promise((resolve) => {
      this.#settleStart = resolve
    })
    this.#beats = createBeatWatch(deadlines.beatMs, () => this.kill(`no sign of life for ${deadlines.beatMs} ms`))
    this.#process = spawnWorkerProcess(program)
    this.#channel = openChannelToWorker(this.#process.child, {
      message: (message) => this.#receive(message, state),
      closed: () => this.#becomeDeaf(),
      failed: (error) => failed(this, error),
    })
    this.gone = this.#waitUntilGone()
    this.#setDeadline(deadlines.startMs, `not ready within ${deadlines.startMs} ms`)
  }

  get phase(): WorkerPhase {
    return this.#phase
  }

  get pid(): number {
    return this.#process.child.pid ?? 0
  }

  /** As of its last beat. */
  get stats(): WorkerStats | undefined {
    return this.#stats
  }

  get gauges(): WorkerGauges | undefined {
    return this.#gauges
  }

  /** Asks it to compile the snapshot and keep it aside. */
  prepare(snapshot: ConfigSnapshot): Promise<Ack> {
    const ack = this.#expect('prepare', snapshot.version)
    this.#channel.send({ type: 'prepare', snapshot })
    return ack
  }

  /** Asks it to serve what it has prepared. */
  commit(version: number): Promise<Ack> {
    const ack = this.#expect('commit', version)
    this.#channel.send({ type: 'commit', version })
    return ack
  }

  discard(version: number): void {
    this.#channel.send({ type: 'discard', version })
  }

  /** Whatever asks for no answer. */
  tell(message: ToWorker): void {
    this.#channel.send(message)
  }

  /** Resolves when its requests go by it. */
  tellHealth(message: HealthMessage): Promise<Ack> {
    const ack = this.#expect('health', message.order)
    this.#channel.send(message)
    return ack
  }

  /**
   * Makes it take nothing new and leave; it is killed when that takes longer than it may. Resolves when it has
   * stopped accepting, or is not going to say so. One that is not ready yet has nothing to finish and is killed.
   */
  async drain(limits: DrainLimits): Promise<void> {
    if (this.#phase === 'starting') this.#dismiss()
    if (this.#phase !== 'ready') return
    this.#leaves = 'asked'
    this.#phase = 'draining'
    const ack = this.#expect('drain', 0)
    this.#channel.send({ type: 'drain', ...limits })
    const patienceMs = Math.max(limits.httpMs, limits.websocketMs) + this.#deadlines.marginMs
    this.#setDeadline(patienceMs, `not drained within ${patienceMs} ms`)
    await ack
  }

  /** Ends it at once. `reason` is told in its end. */
  kill(reason: string): void {
    this.#killedFor ??= reason
    this.#kill()
  }

  #dismiss(): void {
    this.#leaves = 'dismissed'
    this.#kill()
  }

  #kill(): void {
    this.#process.child.kill('SIGKILL')
  }

  #receive(message: ToPrimary, state: ServingState): void {
    switch (message.type) {
      case 'hello':
        this.#begin(state)
        return
      case 'ready':
        this.#becomeReady()
        return
      case 'failed':
        this.#problem = message.problem
        this.#settleStart({ ok: false, problem: message.problem })
        this.#setDeadline(this.#deadlines.marginMs, 'failed and did not exit')
        return
      case 'prepared':
        this.#acks.settle('prepare', message.version, undefined)
        return
      case 'rejected':
        this.#acks.settle('prepare', message.version, message.problem)
        return
      case 'committed':
        this.#acks.settle('commit', message.version, undefined)
        return
      case 'beat':
        this.#stats = message.stats
        this.#beats.beat()
        return
      case 'metrics':
        this.#gauges = message.gauges
        if (message.delta) this.#counted(message.delta)
        return
      case 'trouble':
        this.#troubled(this, message.trouble)
        return
      case 'health_taken':
        this.#acks.settle('health', message.order, undefined)
        return
      case 'limit_ask':
        this.#limits.receive(message.limits)
        return
      case 'draining':
        this.#acks.settle('drain', 0, undefined)
        return
      case 'drained':
        this.#cut = message.cut
        this.#acks.settle('drain', 0, undefined)
        this.#setDeadline(this.#deadlines.marginMs, 'drained and did not exit')
    }
  }

  #begin({ snapshot, generation, sockets }: ServingState): void {
    this.#channel.send({ type: 'begin', snapshot, slot: this.slot, generation })
    for (const message of this.#briefing()) this.#channel.send(message)
    for (const [index, { handle }] of sockets.entries()) this.#channel.send({ type: 'listen', index }, handle)
  }

  #becomeReady(): void {
    if (this.#phase !== 'starting' || this.#problem !== undefined) return
    clearTimeout(this.#timer)
    this.#phase = 'ready'
    this.#beats.start()
    this.#settleStart({ ok: true })
  }

  /** Mostly its end, of which the exit is yet to be told; one that lives on without a channel is of no use. */
  #becomeDeaf(): void {
    this.#acks.giveUp()
    if (this.#leaves === undefined) this.#setDeadline(this.#deadlines.marginMs, 'closed its channel and did not exit')
  }

  #expect(what: AckKind, version: number): Promise<Ack> {
    return this.#acks.expect(what, version, this.#deadlines.ackMs)
  }

  #setDeadline(ms: number, reason: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.kill(reason), Math.min(ms, MAX_TIMER_MS))
  }

  async #waitUntilGone(): Promise<WorkerEnd> {
    const { code, signal, error } = await this.#process.ended
    this.#phase = 'gone'
    clearTimeout(this.#timer)
    this.#beats.stop()
    this.#limits.leave()
    this.#acks.giveUp()
    const end: WorkerEnd = {
      manner: describeManner({ leaves: this.#leaves, isKilled: this.#killedFor !== undefined, code, cut: this.#cut }),
      cut: this.#cut,
      how: error?.message ?? (signal ? `was ended by ${signal}` : `exited with code ${code}`),
      reason: this.#killedFor ?? this.#problem,
      stderr: this.#process.stderrTail(),
    }
    this.#settleStart({ ok: false, problem: describeFailedStart(end) })
    return end
  }
}
