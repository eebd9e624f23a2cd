import pretty from 'pino-pretty'
import { parseAccessFields } from './access-line.ts'
import type { AccessRecord } from './access-log.ts'

const TIME_FORMAT = 'HH:MM:ss.l'
// A terminal obeys C0, DEL and C1 controls, and what a client sent may hold any of them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g

export interface PrettyPrinter {
  /** A JSON log line as a person reads it, with its newline; text that is no JSON comes back as it is. */
  line(jsonLine: string): string
  access(record: AccessRecord, time: Date): string
}

export function createPrettyPrinter(colors: boolean): PrettyPrinter {
  const printEvent = pretty.prettyFactory({
    colorize: colors,
    singleLine: true,
    translateTime: `SYS:${TIME_FORMAT}`,
    ignore: 'pid,role,worker',
    messageFormat: (fields, messageKey) => `${originOf(fields)}${escapeControls(String(fields[messageKey] ?? ''))}`,
  })
  const paint = (code: number, text: string) => (colors ? `\u001b[${code}m${text}\u001b[39m` : text)

  function access(record: AccessRecord, time: Date): string {
    const { status, reason, wouldRefuse, route, backend } = record
    const words = [
      `[${formatLocalTime(time)}] ${paint(32, 'INFO')}:`,
      paint(statusColor(status), `${status}`),
      escapeControls(`${record.method} ${record.host}${record.target}`),
      `${formatMs(record.totalMs)}`,
      `${record.bytesOut} B`,
    ]
    if (record.tunnel) words.push('tunnel')
    if (reason !== undefined) words.push(paint(31, reason))
    if (wouldRefuse !== undefined) words.push(paint(33, `would refuse: ${wouldRefuse}`))
    if (route !== undefined) words.push(paint(90, `${escapeControls(route)}${backend ? ` -> ${backend}` : ''}`))
    words.push(paint(90, record.client))
    return `${words.join(' ')}\n`
  }

  return {
    access,
    line(jsonLine) {
      const fields = parseFields(jsonLine)
      const record = fields && parseAccessFields(fields)
      return record ? access(record, new Date(String(fields['time']))) : printEvent(jsonLine)
    },
  }
}

function originOf(fields: Readonly<Record<string, unknown>>): string {
  return fields['role'] === 'worker' ? `worker ${fields['worker']}: ` : ''
}

function parseFields(jsonLine: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(jsonLine)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function escapeControls(text: string): string {
  return text.replace(CONTROLS, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The same form as the event lines have. */
function formatLocalTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const milliseconds = String(time.getMilliseconds()).padStart(3, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${Math.round(ms)} ms`
}

function statusColor(status: number): number {
  if (status >= 500) return 31
  if (status >= 400) return 33
  return status >= 300 ? 36 : 32
}
