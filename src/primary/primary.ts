import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { ControlRequest, ReloadReport, StatusReport } from '../ipc/control.ts'
import { type LogFileWatch, watchLogFile } from '../log/rotation.ts'
import { AdminListener } from './admin-listener.ts'
import type { AdminAnswers } from './admin-server.ts'
import type { BoundSocket } from './bound-socket.ts'
import { type ControlServer, startControlServer } from './control-server.ts'
import type { PrimaryOptions, PrimaryParts } from './primary-options.ts'
import { Reloader, type ReloadTrigger } from './reload.ts'
import { nameSeries, renderMetrics } from './scrape.ts'
import { type Intent, listenToSignals } from './signals.ts'
import { closeSockets } from './socket-set.ts'
import { StartError } from './start-error.ts'
import { reportListen, reportRoutes, reportUpstreams, reportWorkers } from './status.ts'
import { findStickySecret } from './sticky-secret.ts'
import type { Supervisor } from './supervisor.ts'
import { connectServiceManager, type ServiceManager } from './systemd.ts'

const DONE = 0
const FORCED = 4
const EXIT_WITHIN_MS = 2_000

/** The running daemon: acts on signals, commands and changed files, one intent after another. */
export class Primary implements AdminAnswers {
  /** Resolves to the exit code when everything is over. */
  readonly done: Promise<number>
  readonly #options: PrimaryOptions
  readonly #supervisor: Supervisor
  readonly #reloader: Reloader
  readonly #manager: ServiceManager
  readonly #startedAtMs = Date.now()
  readonly #finish: (code: number) => void
  readonly #parts: PrimaryParts
  readonly #admin: AdminListener
  #logFile: LogFileWatch | undefined
  #control: ControlServer | undefined
  #letGoOfSignals: () => void = () => {}
  #stopping = false

  constructor(options: PrimaryOptions, parts: PrimaryParts) {
    const { supervisor, watch, totals, names } = parts
    this.#options = options
    this.#supervisor = supervisor
    this.#parts = parts
    const { configFile, env, overrides, log } = options
    this.#manager = connectServiceManager(env, log.logger)
    this.#admin = new AdminListener(this, log.logger)
    nameSeries(totals, this.#config, names.found)
    this.#reloader = new Reloader({
      supervisor,
      logger: log.logger,
      load: () => loadConfig(configFile, { env, overrides, resolveHosts: false }),
      watch,
      admin: this.#admin,
      accepted: (config) => this.#accept(config),
      discover: (config) => names.watch(config),
      stickySecret: (config) => findStickySecret(config, options.runDir),
    })
    const { promise, resolve } = Promise.withResolvers<number>()
    this.done = promise
    this.#finish = resolve
  }

  /** Begins to listen to signals, commands and scrapes. Rejects with a StartError, with everything closed again. */
  async open(adminSocket: BoundSocket | undefined): Promise<void> {
    const { runDir, log } = this.#options
    try {
      await this.#admin.open(this.#config.admin, adminSocket)
      this.#control = await startControlServer(join(runDir, 'control.sock'), (request) => this.#answer(request))
    } catch (cause) {
      this.#supervisor.kill('the daemon could not start')
      await this.#supervisor.stop()
      closeSockets(this.#supervisor.state.sockets)
      this.#admin.close()
      throw new StartError(`cannot be controlled: ${(cause as Error).message}`, [], { cause })
    }
    this.#letGoOfSignals = listenToSignals(process, (intent) => this.#act(intent))
    this.#logFile = watchLogFile({
      file: () => log.file,
      rotation: () => this.#config.logging,
      reopen: () => this.#reopenLogs(),
      failed: (error) => log.logger.error({ err: error }, 'the log is not rotated'),
    })
    log.logger.info({ listen: this.#urls() }, 'serving')
    this.#manager.ready(`serving ${this.#urls().join(' ')}`)
  }

  /** A file of the configuration has another content. */
  filesChanged(): void {
    if (!this.#stopping) void this.#reload('watch')
  }

  status(): StatusReport {
    const { snapshot, generation } = this.#supervisor.state
    return {
      pid: process.pid,
      programVersion: this.#options.programVersion,
      nodeVersion: process.version,
      configFile: this.#options.configFile,
      logFile: this.#options.log.file,
      startedAt: new Date(this.#startedAtMs).toISOString(),
      uptimeMs: Date.now() - this.#startedAtMs,
      state: this.#stopping ? 'stopping' : this.#reloader.activity,
      version: snapshot.version,
      generation,
      engine: snapshot.config.server.engine,
      listen: reportListen(this.#supervisor.state),
      admin: this.#admin.url,
      workers: reportWorkers(this.#supervisor),
      upstreams: reportUpstreams(snapshot.config),
      backends: this.#parts.health.report(),
      crashLoop: this.#supervisor.crashLoop,
      traffic: this.#parts.totals.report(),
      paused: this.#parts.pauses.report(),
      lastReload: this.#reloader.last,
    }
  }

  metrics(): string {
    return renderMetrics({
      supervisor: this.#supervisor,
      totals: this.#parts.totals,
      reloader: this.#reloader,
      health: this.#parts.health.report(),
      programVersion: this.#options.programVersion,
      startedAtMs: this.#startedAtMs,
    })
  }

  get isStopping(): boolean {
    return this.#stopping
  }

  get unready(): string | undefined {
    if (this.#stopping) return 'stopping'
    return this.#supervisor.readyWorkers().length === 0 ? 'no worker is ready' : undefined
  }

  get #config(): Config {
    return this.#supervisor.state.snapshot.config
  }

  #urls(): string[] {
    return reportListen(this.#supervisor.state).map(({ url }) => url)
  }

  async #answer(request: ControlRequest): Promise<unknown> {
    switch (request.command) {
      case 'status':
        return this.status()
      case 'routes':
        return reportRoutes(this.#config)
      case 'reload':
        return this.#reload('command')
      case 'restart':
        return this.#reload('restart')
      case 'reopen_logs':
        this.#reopenLogs()
        return {}
      case 'pause':
        return this.#parts.pauses.pause(request.route, request.maxMs, this.#config)
      case 'resume':
        this.#parts.pauses.resume(request.route)
        return {}
      case 'backends':
      case 'drain':
      case 'enable':
        return this.#parts.health.answer(request)
      case 'stop':
        this.stop(request.force)
        return {}
      default:
        throw new Error(`unknown command ${JSON.stringify((request as { command: unknown }).command)}`)
    }
  }

  #act(intent: Intent): void {
    switch (intent) {
      case 'reload':
        if (!this.#stopping) void this.#reload('signal')
        return
      case 'restart':
        if (!this.#stopping) void this.#reload('restart')
        return
      case 'reopen_logs':
        this.#reopenLogs()
        return
      case 'stop':
        this.stop(this.#stopping)
    }
  }

  async #reload(trigger: ReloadTrigger): Promise<ReloadReport> {
    if (this.#stopping) throw new Error('pyserve-ts is stopping')
    this.#manager.reloading()
    const report = await this.#reloader.request(trigger)
    this.#manager.ready(report.ok ? `serving ${this.#urls().join(' ')}` : `reload failed: ${report.error}`)
    return report
  }

  #accept(config: Config): void {
    nameSeries(this.#parts.totals, config, this.#parts.names.found)
    this.#parts.pauses.keep(config)
    const { log } = this.#options
    this.#parts.names.retain(config)
    this.#parts.health.watch(config, this.#parts.names.found)
    try {
      log.apply(config.logging)
    } catch (error) {
      log.logger.error({ err: error }, 'the log goes on in the old file')
    }
  }

  #reopenLogs(): void {
    this.#options.log.reopen()
    this.#supervisor.tell({ type: 'reopen_logs' })
  }

  /** Drains and ends; `done` tells when it is over. With `force`, also while it drains, everything is cut at once. */
  stop(force: boolean): void {
    const { logger } = this.#options.log
    if (force) this.#supervisor.kill('stopped by force')
    if (this.#stopping) return
    this.#stopping = true
    logger.info('draining')
    this.#manager.stopping()
    void this.#end(force)
  }

  async #end(force: boolean): Promise<void> {
    // Who comes now is refused at once instead of waiting in a queue that nobody will serve.
    closeSockets(this.#supervisor.state.sockets)
    const { forced } = await this.#supervisor.stop()
    this.#control?.close()
    this.#admin.close()
    this.#parts.names.close()
    this.#parts.health.close()
    this.#manager.close()
    this.#logFile?.close()
    await this.#parts.watch.close()
    // One more signal on the way to the exit must not end the process before it has removed its pid file.
    setTimeout(this.#letGoOfSignals, EXIT_WITHIN_MS).unref()
    this.#options.log.logger.info('stopped')
    this.#finish(force || forced ? FORCED : DONE)
  }
}
