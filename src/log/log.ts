import { type Logger, pino, stdTimeFunctions } from 'pino'
import { formatAccessJson } from './access-line.ts'
import type { AccessLog } from './access-log.ts'
import { type ConsoleStream, createConsole } from './console.ts'
import { createIsoClock } from './iso-clock.ts'
import { checkLogFile, type LineFile, type LineFileWatcher, openLineFile } from './line-file.ts'
import { createLineGatherer } from './line-gatherer.ts'
import { createPrettyPrinter, type PrettyPrinter } from './pretty.ts'
import { redactSecrets } from './redact.ts'
import type { LogSettings } from './settings.ts'

export interface LogOptions {
  readonly logging: LogSettings
  readonly role: 'primary' | 'worker'
  readonly workerId?: number | undefined
  /** No console, whatever the settings say. */
  readonly daemon: boolean
  /** Where lines go while the settings name no file. */
  readonly fallbackFile?: string | undefined
  readonly stdout?: ConsoleStream
}

/** Everything that one process logs. Several processes may share the file and the console. */
export interface Log {
  /** Loggers made by `child` keep the level of their making: after `apply` make them anew. */
  readonly logger: Logger
  readonly access: AccessLog
  /** The file that lines go to now. */
  readonly file: string | undefined
  /** Throws an error that names the path where `apply` could not open the log file; may leave an empty one. */
  check(logging: LogSettings): void
  /** Throws, with everything left as it was, where another log file cannot be opened. */
  apply(logging: LogSettings): void
  /** Goes on in whatever file the path names now; where that cannot be opened it stays with the old one and says so. */
  reopen(): void
  flush(): void
  close(): void
}

/** Throws an error that names the path where the log file cannot be opened. */
export function createLog(options: LogOptions): Log {
  const { role, workerId, stdout = process.stdout } = options
  const base = { pid: process.pid, role, ...(workerId === undefined ? {} : { worker: workerId }) }
  const baseMembers = JSON.stringify(base).slice(1, -1)
  const clock = createIsoClock()
  const fileLines = createLineGatherer((lines) => file?.write(lines))
  const terminal = options.daemon ? undefined : createConsole(stdout)
  let settings = options.logging
  let view = chooseView(settings, stdout)
  let file = openFile(settings)

  const logger = pino(
    {
      level: settings.level,
      base,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (level) => ({ level }),
        log: (fields) => redactSecrets(fields) as typeof fields,
      },
    },
    { write: writeEvent },
  )

  function writeEvent(line: string): void {
    fileLines.add(line)
    fileLines.flush()
    if (terminal && view) terminal.writeNow(view === 'json' ? line : view.line(line))
  }

  const access: AccessLog = {
    write(record) {
      if (!settings.access) return
      const nowMs = Date.now()
      if (file || view === 'json') {
        const line = formatAccessJson(record, clock(nowMs), baseMembers)
        if (file) fileLines.add(line)
        if (view === 'json') terminal?.write(line)
      }
      if (terminal && view && view !== 'json') terminal.write(view.access(record, new Date(nowMs)))
    },
  }

  function openFile(wanted: LogSettings): LineFile | undefined {
    const path = pathOf(wanted)
    return path === undefined ? undefined : openLineFile(path, watchFile(path))
  }

  function pathOf(wanted: LogSettings): string | undefined {
    return wanted.logFile ?? options.fallbackFile
  }

  function watchFile(path: string): LineFileWatcher {
    return {
      failed: (error) => warn(`cannot write the log file ${path}: ${error.message}; lines are held back`),
      recovered: (lost) => logger.warn({ log_file: path, lost }, 'the log file can be written again'),
    }
  }

  function flush(): void {
    fileLines.flush()
    file?.flush()
    terminal?.flush()
  }

  function logUncaught(error: unknown): void {
    logger.fatal({ err: error }, 'uncaught exception')
    flush()
  }

  process.on('exit', flush)
  process.on('uncaughtExceptionMonitor', logUncaught)

  return {
    logger,
    access,
    get file() {
      return file?.path
    },
    check(logging) {
      const path = pathOf(logging)
      if (path !== undefined && path !== file?.path) checkLogFile(path)
    },
    apply(logging) {
      if (pathOf(logging) !== file?.path) {
        const next = openFile(logging)
        fileLines.flush()
        file?.close()
        file = next
      }
      settings = logging
      view = chooseView(logging, stdout)
      logger.level = logging.level
    },
    reopen() {
      fileLines.flush()
      try {
        file?.reopen()
      } catch (error) {
        logger.error({ err: error }, 'the log file was not reopened')
        warn((error as Error).message)
      }
    },
    flush,
    close() {
      process.off('exit', flush)
      process.off('uncaughtExceptionMonitor', logUncaught)
      flush()
      file?.close()
      file = undefined
    },
  }
}

function chooseView(settings: LogSettings, stdout: ConsoleStream): PrettyPrinter | 'json' | undefined {
  if (!settings.consoleOutput) return undefined
  if (settings.structuredLogs) return 'json'
  const isTerminal = stdout.isTTY === true
  return createPrettyPrinter(settings.useColors && isTerminal && !process.env['NO_COLOR'])
}

/** The place of last resort, for when the log itself is what fails. */
function warn(message: string): void {
  process.stderr.write(`pyserve-ts: ${message}\n`)
}
