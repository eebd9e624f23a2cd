import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { createLog, type Log } from '../log/log.ts'
import { daemonEnv, readLogPlacement } from '../log/placement.ts'
import type { LogSettings } from '../log/settings.ts'
import type { Primary } from '../primary/primary.ts'
import type { PrimaryOptions } from '../primary/primary-options.ts'
import { StartError } from '../primary/start-error.ts'
import { act, type CommandContext, describeError, formatExamples, printOutcome } from './command.ts'
import { findLauncher, type Launcher, type StartFailure } from './daemon.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { claimInstance } from './instance.ts'
import { CommandError, type Outcome } from './outcome.ts'
import { cleanRunDir } from './run-dir.ts'
import { addServerFlags, pickOverrides, type ServerFlags } from './server-flags.ts'
import { badConfig, describeStart, makeRunDir } from './start.ts'
import { readProgramVersion } from './version.ts'

const LEAST_UMASK = 0o022
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

export function addRun(program: Command): void {
  addServerFlags(program.command('run'))
    .description('run in the foreground, for systemd and containers; Ctrl-C drains, a second one ends at once')
    .addHelpText(
      'after',
      formatExamples([
        ['run -c site.yaml', 'logs to the terminal'],
        ['run --json', 'one JSON document once it serves; logs go to a file'],
      ]),
    )
    .action(act<ServerFlags>(run))
}

async function run(context: CommandContext, flags: ServerFlags): Promise<Outcome> {
  const launcher = findLauncher()
  try {
    return await serve(context, flags, launcher)
  } catch (error) {
    await launcher?.report(describeFailure(error))
    throw error
  }
}

async function serve(context: CommandContext, flags: ServerFlags, launcher: Launcher | undefined): Promise<Outcome> {
  const { configFile, configName, runDir, env } = context
  const overrides = pickOverrides(flags)
  // Standard output is for one document, so lines go where a daemon's go; workers inherit the environment.
  if (context.json && !readLogPlacement(process.env).daemon) {
    Object.assign(process.env, daemonEnv({}, runDir.logFile))
  }
  process.umask(process.umask() | LEAST_UMASK)
  const loaded = await loadConfig(configName, { env, overrides, resolveHosts: launcher === undefined })
  if (!loaded.ok) throw badConfig(configName, loaded.problems)
  makeRunDir(context)
  const instance = await claimInstance(runDir)
  process.once('exit', () => {
    instance.release()
    cleanRunDir(runDir)
  })
  const log = openLog(loaded.config.logging)
  const programVersion = readProgramVersion()
  const letGoOfSignals = endOnSignals()
  const primary = await startServing({ configFile, env, overrides, runDir: runDir.path, log, programVersion })
  letGoOfSignals()
  const status = primary.status()
  if (launcher) await launcher.report({ type: 'started', status })
  else printOutcome(describeStart(status, loaded.problems), context.json)
  const exitCode = (await primary.done) as ExitCode
  log.close()
  return { exitCode, document: undefined }
}

/** Until the primary takes signals itself: an end in mid-start runs the exit listeners, and nothing else may end it. */
function endOnSignals(): () => void {
  const listener = (signal: NodeJS.Signals) => {
    if (signal === 'SIGTERM' || signal === 'SIGINT') process.exit(EXIT.failed)
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}

function openLog(logging: LogSettings): Log {
  try {
    return createLog({ logging, role: 'primary', ...readLogPlacement(process.env) })
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error })
  }
}

async function startServing(options: PrimaryOptions): Promise<Primary> {
  // Only here: no other command pays for loading it.
  const { startPrimary } = await import('../primary/start.ts')
  try {
    return await startPrimary(options)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    throw new CommandError(error.message, { problems: error.problems, cause: error })
  }
}

function describeFailure(error: unknown): StartFailure {
  if (error instanceof CommandError) {
    const { message, problems, fields } = error
    return { type: 'failed', error: message, problems, fields }
  }
  return { type: 'failed', error: describeError(error).errorText ?? '', problems: [], fields: {} }
}
