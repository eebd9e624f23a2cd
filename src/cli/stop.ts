import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { StatusReport } from '../ipc/control.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary, NotAnsweringError, NotRunningError } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import { findInstance } from './instance.ts'
import { CommandError, type Outcome } from './outcome.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'
import { formatCount, formatDuration } from './quantity.ts'
import { cleanRunDir, type RunDir } from './run-dir.ts'
import { askStatus } from './status.ts'

const POLL_MS = 50
const PROGRESS_MS = 1_000
const REQUEST_TIMEOUT_MS = 5_000
/** How long a process that was told to end at once may take before it is killed. */
const FORCE_PATIENCE_MS = 5_000

interface StopOptions {
  readonly force?: boolean
}

export function addStop(program: Command): void {
  program
    .command('stop')
    .description('finish open requests, then end; waits until the process is gone')
    .option('--force', 'end at once, cutting what is open')
    .addHelpText(
      'after',
      formatExamples([
        ['stop', 'waits as long as server.timeouts.drain allows; a second Ctrl-C forces it'],
        ['stop --force', 'exit code 4'],
      ]),
    )
    .action(act<StopOptions>((context, { force }) => stop(context, force === true)))
}

async function stop(context: CommandContext, force: boolean): Promise<Outcome> {
  const { runDir } = context
  const startedMs = Date.now()
  const status = await askStatus(context).catch((error: unknown) => {
    if (error instanceof NotRunningError || error instanceof NotAnsweringError) return undefined
    throw error
  })
  const primary = status ? identifyProcess(status.pid) : findInstance(runDir)
  if (!primary) throw cleanUpStale(runDir)
  const family = [primary, ...identifyWorkers(status)]
  const forced = await watchInterrupts(async (interrupted) => {
    await requestStop(runDir, primary, force)
    return (await waitForEnd(family, { context, isForced: () => force || interrupted() })) || force
  })
  if (findInstance(runDir) === undefined) cleanRunDir(runDir)
  const took = formatDuration(Date.now() - startedMs)
  return {
    exitCode: forced ? EXIT.forced : EXIT.done,
    document: { ok: true, pid: primary.pid, forced, tookMs: Date.now() - startedMs },
    text: `stopped pid ${primary.pid} ${forced ? 'by force' : 'cleanly'} in ${took}\n`,
  }
}

/** Resolves when all are gone, to whether it took force. */
async function waitForEnd(
  family: readonly ProcessIdentity[],
  { context, isForced }: { context: CommandContext; isForced: () => boolean },
): Promise<boolean> {
  const [primary] = family
  let forcedMs: number | undefined
  let progressMs = Date.now() + PROGRESS_MS
  while (family.some(isAlive)) {
    if (forcedMs === undefined && primary && isForced()) {
      forcedMs = Date.now()
      await requestStop(context.runDir, primary, true)
    }
    if (forcedMs !== undefined && Date.now() - forcedMs > FORCE_PATIENCE_MS) for (const one of family) kill(one)
    if (Date.now() >= progressMs && !context.json && process.stderr.isTTY) {
      progressMs = Date.now() + PROGRESS_MS
      await showProgress(context)
    }
    await delay(POLL_MS)
  }
  return forcedMs !== undefined
}

/** Over the control socket, or by signal where it does not answer. */
async function requestStop(runDir: RunDir, primary: ProcessIdentity, force: boolean): Promise<void> {
  try {
    await askPrimary({ runDir, timeoutMs: REQUEST_TIMEOUT_MS }, { command: 'stop', force })
  } catch (error) {
    if (!isAlive(primary)) return
    if (!(error instanceof NotAnsweringError) && !force) throw error
    if (force) kill(primary)
    else process.kill(primary.pid, 'SIGTERM')
  }
}

async function showProgress(context: CommandContext): Promise<void> {
  const status = await askStatus(context).catch(() => undefined)
  if (!status) return
  const sum = (pick: (stats: NonNullable<StatusReport['workers'][number]['stats']>) => number) =>
    status.workers.reduce((total, { stats }) => total + (stats ? pick(stats) : 0), 0)
  const open = [
    formatCount(
      sum(({ inFlight }) => inFlight),
      'request',
    ),
    formatCount(
      sum(({ tunnels }) => tunnels),
      'tunnel',
    ),
  ]
  process.stderr.write(`draining: ${open.join(', ')} open\n`)
}

/** The first Ctrl-C is a question, the second an order. */
async function watchInterrupts<T>(work: (interrupted: () => boolean) => Promise<T>): Promise<T> {
  let count = 0
  const onInterrupt = () => {
    count++
    if (count === 1) process.stderr.write('still draining; Ctrl-C again ends it at once\n')
  }
  process.on('SIGINT', onInterrupt)
  try {
    return await work(() => count > 1)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

function identifyWorkers(status: StatusReport | undefined): ProcessIdentity[] {
  return (status?.workers ?? []).flatMap(({ pid }) => identifyProcess(pid) ?? [])
}

function kill(victim: ProcessIdentity): void {
  if (!isAlive(victim)) return
  try {
    process.kill(victim.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
    throw new CommandError(`cannot end pid ${victim.pid}: ${(error as Error).message}`, { cause: error })
  }
}

function cleanUpStale(runDir: RunDir): CommandError {
  cleanRunDir(runDir)
  return new NotRunningError()
}
