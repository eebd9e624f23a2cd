import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config/load.ts'
import { createPrettyPrinter } from '../log/pretty.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { tailFile } from './log-tail.ts'
import { CommandError, type Outcome } from './outcome.ts'
import { askStatus } from './status.ts'

const DEFAULT_LINES = 20

interface LogsOptions {
  readonly follow?: boolean
  readonly lines: number
}

export function addLogs(program: Command): void {
  program
    .command('logs')
    .description('show the log file; JSON lines with --json or where the output is no terminal')
    .option('-f, --follow', 'go on with what is written, over rotation')
    .option('-n, --lines <count>', 'how many of the last lines', parseCount, DEFAULT_LINES)
    .addHelpText(
      'after',
      formatExamples([
        ['logs -f', 'follow'],
        ['logs -n 1000 --json | grep backend_reset', 'search'],
      ]),
    )
    .action(act<LogsOptions>(showLogs))
}

async function showLogs(context: CommandContext, { follow, lines }: LogsOptions): Promise<Outcome> {
  const file = await findLogFile(context)
  if (!follow && !existsSync(file)) throw new CommandError(`there is no log file ${file}`)
  const isPretty = process.stdout.isTTY && !context.json
  const printer = isPretty ? createPrettyPrinter(!process.env['NO_COLOR']) : undefined
  const end = new AbortController()
  const stop = () => end.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  process.stdout.once('error', stop)
  for await (const batch of tailFile(file, lines, follow ? end.signal : undefined)) {
    const text = printer ? batch.map((line) => printer.line(line)).join('') : batch.join('')
    if (end.signal.aborted) break
    await new Promise((resolve) => process.stdout.write(text, resolve))
  }
  return { exitCode: EXIT.done, document: undefined }
}

/** The running instance knows best; then the configuration; then the place where a daemon without one logs. */
async function findLogFile(context: CommandContext): Promise<string> {
  const status = await askStatus(context).catch(() => undefined)
  if (status?.logFile !== undefined) return status.logFile
  const loaded = await loadConfig(context.configFile, { env: context.env, overrides: {}, resolveHosts: false })
  return (loaded.ok ? loaded.config.logging.logFile : undefined) ?? context.runDir.logFile
}

function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
