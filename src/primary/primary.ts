import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { ConfigOverrides } from '../config/overrides.ts'
import { type FileWatch, watchFiles } from '../config/watch.ts'
import type { ControlRequest, ReloadReport, StatusReport } from '../ipc/control.ts'
import type { Log } from '../log/log.ts'
import { type LogFileWatch, watchLogFile } from '../log/rotation.ts'
import type { Problem } from '../problem.ts'
import { type ControlServer, startControlServer } from './control-server.ts'
import { DEADLINES, type Deadlines } from './deadlines.ts'
import { Reloader, type ReloadTrigger } from './reload.ts'
import { RESTART_POLICY, type RestartPolicy } from './restart-policy.ts'
import type { ServingState } from './serving-state.ts'
import { type Intent, listenToSignals } from './signals.ts'
import { bindSockets, closeSockets } from './socket-set.ts'
import { reportListen, reportRoutes, reportWorkers } from './status.ts'
import { Supervisor } from './supervisor.ts'
import { connectServiceManager, type ServiceManager } from './systemd.ts'
import { defaultWorkerExec } from './worker-process.ts'

export interface PrimaryOptions {
  readonly configFile: string
  readonly env: NodeJS.ProcessEnv
  readonly overrides: ConfigOverrides
  /** Exists; the control socket is made in it. */
  readonly runDir: string
  readonly log: Log
  readonly programVersion: string
  readonly workerExec?: string
  readonly deadlines?: Deadlines
  readonly policy?: RestartPolicy
}

/** Why the daemon did not start; nothing of it is left. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly problems: readonly Problem[]

  constructor(message: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(message, options)
    this.problems = problems
  }
}

const DONE = 0
const FORCED = 4
const EXIT_WITHIN_MS = 2_000

/** Starts the daemon in this process. Resolves when every worker is ready; rejects with a StartError. */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const { configFile, env, overrides, log } = options
  const loaded = await loadConfig(configFile, { env, overrides, resolveHosts: false })
  if (!loaded.ok) throw new StartError('the configuration has errors', loaded.problems)
  const sockets = await bindSockets(loaded.config.server.listen, []).catch((cause: Error) => {
    throw new StartError(cause.message, [], { cause })
  })
  const snapshot = { version: 1, config: loaded.config, ticketKeys: randomBytes(48).toString('base64') }
  const state: ServingState = { snapshot, generation: 1, sockets }
  const supervisor = new Supervisor(state, {
    program: { exec: options.workerExec ?? defaultWorkerExec(), env: {} },
    deadlines: options.deadlines ?? DEADLINES,
    policy: options.policy ?? RESTART_POLICY,
    logger: log.logger,
  })
  const grown = await supervisor.grow(loaded.config.server.workers, state)
  if (!grown.ok) {
    closeSockets(sockets)
    throw new StartError(`a worker did not start: ${grown.problem}`, [])
  }
  const primary = new Primary(options, supervisor)
  await primary.open(loaded.watchFiles)
  return primary
}

/** The running daemon: acts on signals, commands and changed files, one intent after another. */
export class Primary {
  /** Resolves to the exit code when everything is over. */
  readonly done: Promise<number>
  readonly #options: PrimaryOptions
  readonly #supervisor: Supervisor
  readonly #reloader: Reloader
  readonly #manager: ServiceManager
  readonly #startedAtMs = Date.now()
  readonly #finish: (code: number) => void
  #watch: FileWatch | undefined
  #logFile: LogFileWatch | undefined
  #control: ControlServer | undefined
  #letGoOfSignals: () => void = () => {}
  #stopping = false

  constructor(options: PrimaryOptions, supervisor: Supervisor) {
    this.#options = options
    this.#supervisor = supervisor
    const { configFile, env, overrides, log } = options
    this.#manager = connectServiceManager(env, log.logger)
    this.#reloader = new Reloader({
      supervisor,
      logger: log.logger,
      load: () => loadConfig(configFile, { env, overrides, resolveHosts: false }),
      watch: () => this.#watch,
      accepted: (config) => this.#accept(config),
    })
    const { promise, resolve } = Promise.withResolvers<number>()
    this.done = promise
    this.#finish = resolve
  }

  /** Begins to listen to signals, commands and files. Rejects with a StartError, with everything closed again. */
  async open(files: readonly string[]): Promise<void> {
    const { runDir, log } = this.#options
    try {
      this.#control = await startControlServer(join(runDir, 'control.sock'), (request) => this.#answer(request))
    } catch (cause) {
      this.#supervisor.kill('the control socket cannot be had')
      await this.#supervisor.stop()
      closeSockets(this.#supervisor.state.sockets)
      throw new StartError(`cannot open the control socket: ${(cause as Error).message}`, [], { cause })
    }
    this.#letGoOfSignals = listenToSignals(process, (intent) => this.#act(intent))
    this.#watch = await watchFiles(files, {
      changed: () => {
        if (!this.#stopping) void this.#reload('watch')
      },
      failed: (error) => log.logger.error({ err: error }, 'watching files failed'),
    })
    this.#logFile = watchLogFile({
      file: () => log.file,
      rotation: () => this.#config.logging,
      reopen: () => this.#reopenLogs(),
      failed: (error) => log.logger.error({ err: error }, 'the log is not rotated'),
    })
    log.logger.info({ listen: this.#urls() }, 'serving')
    this.#manager.ready(`serving ${this.#urls().join(' ')}`)
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
      workers: reportWorkers(this.#supervisor),
      crashLoop: this.#supervisor.crashLoop,
      lastReload: this.#reloader.last,
    }
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
    const { log } = this.#options
    try {
      log.apply(config.logging)
    } catch (error) {
      log.logger.error({ err: error }, 'the log goes on in the old file')
    }
  }

  #reopenLogs(): void {
    this.#options.log.reopen()
    this.#supervisor.reopenLogs()
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
    this.#manager.close()
    this.#logFile?.close()
    await this.#watch?.close()
    // One more signal on the way to the exit must not end the process before it has removed its pid file.
    setTimeout(this.#letGoOfSignals, EXIT_WITHIN_MS).unref()
    this.#options.log.logger.info('stopped')
    this.#finish(force || forced ? FORCED : DONE)
  }
}
