import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { formatProblem } from '../config/problem-format.ts'
import type { StatusReport } from '../ipc/control.ts'
import type { Problem } from '../problem.ts'
import { formatProblemCount } from './check.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { launchDaemon } from './daemon.ts'
import { EXIT } from './exit-codes.ts'
import { alreadyRunning, findInstance } from './instance.ts'
import { CommandError, type Outcome } from './outcome.ts'
import { cleanRunDir, createRunDir } from './run-dir.ts'
import { addServerFlags, formatServerFlags, pickOverrides, type ServerFlags } from './server-flags.ts'
import { formatStarted } from './status-report.ts'

const NO_LOG_FILE = '  (logging.log_file is not set, so the log is in the run directory)\n'

export function addStart(program: Command): void {
  addServerFlags(program.command('start'))
    .description('run as a daemon; returns when every worker is ready, or says why not')
    .addHelpText(
      'after',
      formatExamples([
        ['start', 'with ./config.yaml'],
        ['start -c site.yaml -p 8080', 'another file and port'],
        ['start --ssl --cert cert.pem --key key.pem', 'with TLS'],
        ['start --proxy localhost:3000/api', 'one more route'],
      ]),
    )
    .action(act<ServerFlags>(start))
}

async function start(context: CommandContext, flags: ServerFlags): Promise<Outcome> {
  const { configFile, configName, runDir, env } = context
  const loaded = await loadConfig(configName, { env, overrides: pickOverrides(flags) })
  if (!loaded.ok) throw badConfig(configName, loaded.problems)
  const running = findInstance(runDir)
  if (running) throw alreadyRunning(running)
  makeRunDir(context)
  const args = ['run', `--config=${configFile}`, `--run-dir=${runDir.path}`, ...formatServerFlags(flags)]
  const outcome = await launchDaemon({ args: [process.argv[1] ?? '', ...args], env, runDir })
  if (outcome.type === 'failed') {
    if (findInstance(runDir) === undefined) cleanRunDir(runDir)
    throw new CommandError(outcome.error, outcome)
  }
  const started = describeStart(outcome.status, loaded.problems)
  const isFallback = loaded.config.logging.logFile === undefined
  return isFallback ? { ...started, text: `${started.text}${NO_LOG_FILE}` } : started
}

/** What is said once every worker is ready. */
export function describeStart(status: StatusReport, warnings: readonly Problem[]): Outcome {
  return {
    exitCode: EXIT.done,
    document: { ok: true, ...status, warnings },
    text: formatStarted(status),
    errorText: warnings.map((problem) => `${formatProblem(problem)}\n`).join(''),
  }
}

/** Throws CommandError. */
export function makeRunDir({ runDir }: CommandContext): void {
  try {
    createRunDir(runDir, process.getuid?.())
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error })
  }
}

export function badConfig(file: string, problems: readonly Problem[]): CommandError {
  return new CommandError(`${file}: ${formatProblemCount(problems)}`, { problems })
}
