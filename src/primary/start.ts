import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { type FileWatch, watchFiles } from '../config/watch.ts'
import { MetricsTotals } from '../metrics/totals.ts'
import { bindAdmin } from './admin-listener.ts'
import { createBackendNames } from './backend-names.ts'
import { DEADLINES } from './deadlines.ts'
import { HealthDesk } from './health-desk.ts'
import { LimitDesk } from './limit-desk.ts'
import { Pauses } from './pauses.ts'
import { Primary } from './primary.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { RESTART_POLICY } from './restart-policy.ts'
import { nameSeries } from './scrape.ts'
import type { ServingState } from './serving-state.ts'
import { bindSockets, closeSockets } from './socket-set.ts'
import { StartError } from './start-error.ts'
import { findStickySecret } from './sticky-secret.ts'
import { Supervisor } from './supervisor.ts'
import { defaultWorkerExec } from './worker-process.ts'

/** Starts the daemon in this process. Resolves when every worker is ready; rejects with a StartError. */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const { configFile, log } = options
  let primary: Primary | undefined
  let isMissed = false
  // Before the first look at the file: what is saved while the workers start is not lost.
  const watch = await watchFiles([configFile], {
    changed: () => {
      if (primary) primary.filesChanged()
      else isMissed = true
    },
    failed: (error) => log.logger.error({ err: error }, 'watching files failed'),
  })
  try {
    primary = await openPrimary(options, watch)
  } catch (error) {
    await watch.close()
    throw error
  }
  if (isMissed) primary.filesChanged()
  return primary
}

async function openPrimary(options: PrimaryOptions, watch: FileWatch): Promise<Primary> {
  const { configFile, env, overrides, log } = options
  const loaded = await loadConfig(configFile, { env, overrides, resolveHosts: false })
  if (!loaded.ok) throw new StartError('the configuration has errors', loaded.problems)
  await watch.update(loaded.watchFiles)
  const stickySecret = readSecret(loaded.config, options.runDir)
  const { sockets, adminSocket } = await bindAddresses(loaded.config).catch((cause: Error) => {
    throw new StartError(cause.message, [], { cause })
  })
  const snapshot = { version: 1, config: loaded.config, ticketKeys: randomBytes(48).toString('base64'), stickySecret }
  const state: ServingState = { snapshot, generation: 1, sockets }
  const totals = new MetricsTotals()
  const pauses = new Pauses(() => supervisor.tell({ type: 'pauses', pauses: pauses.list() }))
  const names = createBackendNames(log.logger, (found) => {
    nameSeries(totals, supervisor.state.snapshot.config, found)
    supervisor.tell({ type: 'discovered', found })
    health.watch(supervisor.state.snapshot.config, found)
  })
  const health = new HealthDesk({
    logger: log.logger,
    tell: (message) => supervisor.tellHealth(message),
    hurryProbe: (key) => supervisor.tell({ type: 'hurry_probe', key }),
  })
  const supervisor = new Supervisor(state, {
    program: { exec: options.workerExec ?? defaultWorkerExec(), env: {} },
    deadlines: options.deadlines ?? DEADLINES,
    policy: options.policy ?? RESTART_POLICY,
    limits: new LimitDesk(),
    logger: log.logger,
    counted: (delta) => totals.add(delta),
    troubled: ({ pid }, trouble) => health.noteTrouble(pid, trouble),
    briefing: () => [
      { type: 'discovered', found: names.found },
      health.briefing(),
      { type: 'pauses', pauses: pauses.list() },
    ],
  })
  await names.watch(loaded.config)
  health.watch(loaded.config, names.found)
  const grown = await supervisor.grow(loaded.config.server.workers, state)
  if (!grown.ok) {
    closeSockets(sockets)
    adminSocket?.close()
    names.close()
    health.close()
    throw new StartError(`a worker did not start: ${grown.problem}`, [])
  }
  const primary = new Primary(options, { supervisor, watch, totals, pauses, names, health })
  await primary.open(adminSocket).catch((error: unknown) => {
    names.close()
    health.close()
    throw error
  })
  return primary
}

async function bindAddresses({ server, admin }: Config) {
  const sockets = await bindSockets(server.listen, [])
  try {
    return { sockets, adminSocket: await bindAdmin(admin) }
  } catch (error) {
    closeSockets(sockets)
    throw error
  }
}

function readSecret(config: Config, runDir: string): string {
  try {
    return findStickySecret(config, runDir)
  } catch (cause) {
    throw new StartError((cause as Error).message, [], { cause })
  }
}
