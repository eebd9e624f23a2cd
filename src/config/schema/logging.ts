import type { z } from 'zod'
import type { LogLevel } from '../../log/settings.ts'
import { flag, size, text, wholeNumber, word } from './scalars.ts'
import { section } from './section.ts'
import { swap } from './traits.ts'

const LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
  WARN: 'warn',
  FATAL: 'fatal',
}

export const loggingSchema = section({
  level: word(LEVELS)
    .prefault('INFO')
    .meta(swap('level', 'Least level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.')),
  log_file: text()
    .nullable()
    .prefault(null)
    .meta(swap('file', 'Log file.', 'none')),
  console_output: flag().prefault(true).meta(swap('boolean', 'Log to the console.')),
  use_colors: flag().prefault(true).meta(swap('boolean', 'Colours, where the console is a terminal.')),
  use_rotation: flag().prefault(false).meta(swap('boolean', 'Begin a new log file when one is full.')),
  max_log_size: size('1kb', '100gb').prefault(10_485_760).meta(swap('size', 'When a log file is full.')),
  backup_count: wholeNumber(0, 1000).prefault(5).meta(swap('number', 'Full log files that are kept.')),
  structured_logs: flag().prefault(false).meta(swap('boolean', 'JSON lines on the console too.')),
  access: flag().prefault(true).meta(swap('boolean', 'One line for each exchange.')),
})

export type LoggingSettings = z.output<typeof loggingSchema>
