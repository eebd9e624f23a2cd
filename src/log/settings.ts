export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** What of the configuration's `logging` a process needs to write its lines. */
export interface LogSettings {
  readonly level: LogLevel
  /** Absolute; undefined: no file. */
  readonly logFile: string | undefined
  readonly consoleOutput: boolean
  readonly useColors: boolean
  /** JSON lines on the console too; the file always has them. */
  readonly structuredLogs: boolean
  readonly access: boolean
}
