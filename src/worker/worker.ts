import { type Channel, type NativeHandle, openChannelToPrimary } from '../ipc/channel.ts'
import type { ConfigSnapshot, DrainLimits, ToPrimary, ToWorker } from '../ipc/protocol.ts'
import { LimitClient, SYSTEM_CLOCK } from '../limits/limit-client.ts'
import { Core } from './core.ts'

const BEAT_MS = 1_000

/** One worker process: does what the primary says, and tells it how it goes. */
export class Worker {
  readonly #process: NodeJS.Process
  readonly #limits = new LimitClient({
    send: (limits) => this.#send({ type: 'limit_ask', limits }),
    clock: SYSTEM_CLOCK,
  })
  #channel: Channel<ToPrimary> | undefined
  #core: Core | undefined
  #listening = 0
  #leaving = false

  /** `host` is the process itself, started with a channel to the primary. */
  constructor(host: NodeJS.Process) {
    this.#process = host
  }

  start(): void {
    this.#channel = openChannelToPrimary(this.#process, {
      message: (message, handle) => this.#receive(message, handle),
      closed: () => this.#leave(this.#core?.drainLimits() ?? { httpMs: 0, idleMs: 0, websocketMs: 0 }),
      failed: (error) => this.#core?.logger.error({ err: error }, 'message lost'),
    })
    this.#send({ type: 'hello' })
  }

  #receive(message: ToWorker, handle: NativeHandle | undefined): void {
    switch (message.type) {
      case 'begin':
        this.#begin(message.snapshot, message.slot)
        return
      case 'listen':
        void this.#listen(message.index, handle)
        return
      case 'prepare':
        this.#prepare(message.snapshot)
        return
      case 'commit':
        this.#core?.commit(message.version)
        this.#send({ type: 'committed', version: message.version })
        return
      case 'discard':
        this.#core?.discard(message.version)
        return
      case 'limit_reply':
        this.#limits.receive(message.limits)
        return
      case 'reopen_logs':
        this.#core?.reopenLogs()
        return
      case 'pauses':
        this.#core?.pause(message.pauses)
        return
      case 'discovered':
        this.#core?.discover(message.found)
        return
      case 'health':
        this.#core?.applyHealth(message)
        this.#send({ type: 'health_taken', order: message.order })
        return
      case 'hurry_probe':
        this.#core?.hurryProbe(message.key)
        return
      case 'drain':
        this.#leave(message)
    }
  }

  #begin(snapshot: ConfigSnapshot, slot: number): void {
    try {
      this.#core = new Core(snapshot, slot, this.#limits, (trouble) => this.#send({ type: 'trouble', trouble }))
    } catch (error) {
      this.#fail(error)
    }
  }

  async #listen(index: number, handle: NativeHandle | undefined): Promise<void> {
    const core = this.#core
    if (core === undefined) return
    try {
      if (handle === undefined) throw new Error('the bound socket did not arrive')
      await core.listen(index, handle)
      this.#listening++
      if (this.#listening === core.addressCount) this.#becomeReady(core)
    } catch (error) {
      this.#fail(error)
    }
  }

  #becomeReady(core: Core): void {
    this.#send({ type: 'ready', version: core.version })
    const beat = () => {
      this.#send({ type: 'beat', stats: core.stats() })
      this.#send({ type: 'metrics', delta: core.takeMetrics(), gauges: core.gauges() })
    }
    beat()
    setInterval(beat, BEAT_MS).unref()
  }

  #prepare(snapshot: ConfigSnapshot): void {
    const { version } = snapshot
    try {
      if (this.#core === undefined) throw new Error('not begun')
      this.#core.prepare(snapshot)
      this.#send({ type: 'prepared', version })
    } catch (error) {
      this.#send({ type: 'rejected', version, problem: textOf(error) })
    }
  }

  /** Takes nothing new, lets what is open finish, exits. */
  #leave(limits: DrainLimits): void {
    if (this.#leaving) return
    this.#leaving = true
    const core = this.#core
    this.#send({ type: 'draining' })
    void (async () => {
      const cut = core === undefined ? 0 : await core.drain(limits)
      this.#send({ type: 'drained', cut })
      await this.#exit(0)
    })()
  }

  #fail(error: unknown): void {
    this.#leaving = true
    this.#send({ type: 'failed', problem: textOf(error) })
    void this.#exit(1)
  }

  async #exit(code: number): Promise<void> {
    await this.#channel?.flushed()
    await this.#tellLastMetrics()
    this.#core?.close()
    this.#process.exit(code)
  }

  /** What ends while it is told is told as well. */
  async #tellLastMetrics(): Promise<void> {
    const core = this.#core
    for (let delta = core?.takeMetrics(); core && delta; delta = core.takeMetrics()) {
      this.#send({ type: 'metrics', delta, gauges: core.gauges() })
      await this.#channel?.flushed()
    }
  }

  #send(message: ToPrimary): void {
    this.#channel?.send(message)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
