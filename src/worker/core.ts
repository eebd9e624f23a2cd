import type { Logger } from 'pino'
import type { ListenAddress } from '../config/config.ts'
import type { Exchange, UpgradeExchange } from '../exchange.ts'
import type { NativeHandle } from '../ipc/channel.ts'
import type { BackendTrouble } from '../ipc/health-messages.ts'
import type { ConfigSnapshot, DrainLimits, HealthMessage, RoutePause, WorkerStats } from '../ipc/protocol.ts'
import type { LimitClient, OpenLimit } from '../limits/limit-client.ts'
import { createLimitPlan } from '../limits/limit-plan.ts'
import { type ConnectionCount, createHttp1Listener } from '../listener/http1-listener.ts'
import type { Listener, ListenerHandler, RejectedRequest } from '../listener/listener.ts'
import { createTlsOptions } from '../listener/tls.ts'
import { createLog, type Log } from '../log/log.ts'
import { readLogPlacement } from '../log/placement.ts'
import type { MetricsDelta, WorkerGauges } from '../metrics/delta.ts'
import { EventLoopLag } from '../metrics/event-loop-lag.ts'
import { WorkerMetrics } from '../metrics/worker-metrics.ts'
import { PauseDesk } from '../proxy/pause-desk.ts'
import { Pipeline } from '../proxy/pipeline.ts'
import { TunnelSet } from '../proxy/tunnel-set.ts'
import { compileWorld, type World } from '../proxy/world.ts'
import { BackendRegistry } from '../upstream/backend-registry.ts'
import type { Discovered } from '../upstream/discovery/discovered.ts'
import type { UpstreamEngine } from '../upstream/engine.ts'
import { createEngine } from '../upstream/engines.ts'
import { readBackendGauges } from './backend-gauges.ts'
import { drainWorker } from './drain.ts'
import { RedisLinks } from './redis-links.ts'

/** For how many readings of the gauges, one a second, the worst is told. */
const LAG_SPANS = 15

/** Of the time for open exchanges: so long may a pause hold them while the worker leaves. */
const HELD_SHARE = 0.8

/** A snapshot and what was compiled from it. */
interface Served {
  readonly snapshot: ConfigSnapshot
  readonly world: World
  readonly limits: readonly OpenLimit[]
}

/** The proxy core of one worker, put together from a snapshot: listeners, pipeline, engine, tunnels, log. */
export class Core {
  readonly #metrics = new WorkerMetrics()
  readonly #registry: BackendRegistry
  readonly #lag = new EventLoopLag(LAG_SPANS)
  readonly #limits: LimitClient
  readonly #redis = new RedisLinks(() => this.#log.logger)
  readonly #engine: UpstreamEngine
  readonly #tunnels = new TunnelSet()
  readonly #pauses = new PauseDesk()
  readonly #listeners: Listener[] = []
  readonly #connections: ConnectionCount = { open: 0 }
  readonly #log: Log
  readonly #pipeline: Pipeline
  #current: Served
  #prepared: Served | undefined

  /** Throws where the snapshot cannot be compiled or the log file not be opened. */
  constructor(
    snapshot: ConfigSnapshot,
    slot: number,
    limits: LimitClient,
    troubled: (trouble: BackendTrouble) => void,
  ) {
    this.#limits = limits
    this.#engine = createEngine(snapshot.config.server.engine)
    this.#registry = new BackendRegistry(this.#metrics, () => performance.now(), troubled)
    this.#current = this.#compile(snapshot)
    const { config } = snapshot
    this.#log = createLog({
      logging: config.logging,
      role: 'worker',
      workerId: slot,
      ...readLogPlacement(process.env),
    })
    const parts = {
      engine: this.#engine,
      access: this.#log.access,
      tunnels: this.#tunnels,
      metrics: this.#metrics,
      pauses: this.#pauses,
    }
    this.#pipeline = new Pipeline(parts, this.#current.world)
  }

  get version(): number {
    return this.#current.snapshot.version
  }

  get addressCount(): number {
    return this.#current.snapshot.config.server.listen.length
  }

  get logger(): Logger {
    return this.#log.logger
  }

  /** Resolves when it accepts on a socket that the primary has bound; rejects where it cannot. */
  async listen(index: number, handle: NativeHandle): Promise<void> {
    const { config, ticketKeys } = this.#current.snapshot
    const address = config.server.listen[index]
    if (address === undefined) throw new Error(`there is no listen address ${index}`)
    const { timeouts, limits, backlog } = config.server
    const listener = createHttp1Listener({
      settings: { timeouts, limits },
      tls: address.tls && config.tls ? createTlsOptions(config.tls, ticketKeys, timeouts.headerMs) : undefined,
      handler: this.#handlerFor(address),
      count: this.#connections,
    })
    this.#listeners.push(listener)
    await listener.listen(handle, backlog)
  }

  /** Compiles a snapshot and keeps it aside. Throws where that fails; what is served stays. */
  prepare(snapshot: ConfigSnapshot): void {
    this.#log.check(snapshot.config.logging)
    this.#prepared = this.#compile(snapshot)
  }

  /** Serves the prepared snapshot. Exchanges and tunnels under way are left as they are. */
  commit(version: number): void {
    const prepared = this.#prepared
    if (prepared?.snapshot.version !== version) return
    this.#prepared = undefined
    this.#current = prepared
    const { timeouts, limits } = prepared.snapshot.config.server
    this.#pipeline.use(prepared.world)
    this.#limits.retain(prepared.limits)
    this.#redis.retain(prepared.snapshot.config.server.redis)
    for (const listener of this.#listeners) listener.apply({ timeouts, limits })
    this.#retainBackends()
    try {
      this.#log.apply(prepared.snapshot.config.logging)
    } catch (error) {
      this.#log.logger.error({ err: error }, 'the log goes on in the old file')
    }
  }

  discard(version: number): void {
    if (this.#prepared?.snapshot.version === version) this.#prepared = undefined
    this.#retainBackends()
    this.#limits.retain(this.#current.limits)
    this.#redis.retain(this.#current.snapshot.config.server.redis)
  }

  /** What is known of the names of backends is something else now. */
  discover(found: Discovered): void {
    this.#registry.discover(found)
    this.#retainBackends()
  }

  /** What is known of the health of backends. */
  applyHealth({ states, troubles, risen }: HealthMessage): void {
    this.#registry.applyStates(states)
    for (const [key, ageMs] of Object.entries(risen)) this.#registry.noteRise(key, ageMs)
    for (const trouble of troubles) this.#registry.inherit(trouble)
  }

  hurryProbe(key: string): void {
    this.#registry.hurryProbe(key)
  }

  stats(): WorkerStats {
    const { inFlight, requests } = this.#metrics
    return {
      version: this.version,
      connections: this.#listeners.reduce((sum, listener) => sum + listener.connections, 0),
      inFlight,
      tunnels: this.#tunnels.size,
      held: this.#pauses.held,
      requests,
      rssBytes: process.memoryUsage.rss(),
    }
  }

  /** What was counted since the last call; undefined where that is nothing. */
  takeMetrics(): MetricsDelta | undefined {
    return this.#metrics.take()
  }

  /** To be called once a second. */
  gauges(): WorkerGauges {
    return { lagMs: this.#lag.takeMs(), backends: readBackendGauges(this.#current.world.backends, this.#engine) }
  }

  pause(pauses: readonly RoutePause[]): void {
    this.#pauses.apply(pauses)
  }

  reopenLogs(): void {
    this.#log.reopen()
  }

  drainLimits(): DrainLimits {
    const { drainMs, websocketDrainMs } = this.#current.snapshot.config.server.timeouts
    return { httpMs: drainMs, idleMs: 0, websocketMs: websocketDrainMs }
  }

  /** Resolves when nothing is open any more, with the number of connections and tunnels that were cut. */
  async drain(limits: DrainLimits): Promise<number> {
    this.#pauses.leave(limits.httpMs * HELD_SHARE)
    const cut = await drainWorker(this.#listeners, this.#tunnels, limits)
    this.#engine.close()
    this.#limits.close()
    this.#redis.retain(undefined)
    return cut
  }

  close(): void {
    this.#lag.close()
    this.#log.close()
  }

  #compile(snapshot: ConfigSnapshot): Served {
    const { config, stickySecret } = snapshot
    const { workers, redis } = config.server
    const limits = createLimitPlan(this.#limits, workers, () => this.#redis.open(redis))
    const parts = { registry: this.#registry, metrics: this.#metrics, engine: this.#engine }
    const world = compileWorld(config, { ...parts, limits, stickySecret })
    return { snapshot, world, limits: limits.opened }
  }

  /** Lets go of the backends that nothing names any more. */
  #retainBackends(): void {
    const named = [...this.#current.world.backends, ...(this.#prepared?.world.backends ?? [])]
    for (const backend of this.#registry.retain(named)) this.#engine.forget(backend)
  }

  #handlerFor(address: ListenAddress): ListenerHandler {
    const pipeline = this.#pipeline
    const { redirectToTlsPort: tlsPort } = address
    const rejected = (request: RejectedRequest) => this.#noteRejected(request)
    if (tlsPort !== undefined) {
      const redirect = (exchange: Exchange | UpgradeExchange) => pipeline.redirectToTls(exchange, tlsPort)
      return { exchange: redirect, upgrade: redirect, rejected }
    }
    return {
      exchange: (exchange) => pipeline.exchange(exchange),
      upgrade: (upgrade) => pipeline.upgrade(upgrade),
      rejected,
    }
  }

  #noteRejected(request: RejectedRequest): void {
    this.#log.logger.debug({ client: request.client.remoteAddress, detail: request.detail }, 'request refused')
    this.#pipeline.refused(request)
  }
}
