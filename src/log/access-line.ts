import type { AccessRecord } from './access-log.ts'
import { quoteJson } from './json-string.ts'

/**
 * The record as one JSON line with its newline: a log line of level `info` whose message is `request` or `tunnel`.
 * `base` are ready-made members that every line of the process carries, such as `"pid":7,"role":"worker"`.
 */
export function formatAccessJson(record: AccessRecord, isoTime: string, base: string): string {
  let line = `{"level":"info","time":"${isoTime}",${base},"msg":"${record.tunnel ? 'tunnel' : 'request'}"`
  line += `,"request_id":${quoteJson(record.requestId)},"client":${quoteJson(record.client)}`
  line += `,"method":${quoteJson(record.method)},"host":${quoteJson(record.host)},"path":${quoteJson(record.target)}`
  line += `,"protocol":${quoteJson(record.protocol)}`
  if (record.route !== undefined) line += `,"route":${quoteJson(record.route)}`
  if (record.backend !== undefined) line += `,"backend":${quoteJson(record.backend)}`
  if (record.attempts > 1) line += `,"attempts":${record.attempts}`
  line += `,"status":${record.status}`
  if (record.reason !== undefined) line += `,"reason":${quoteJson(record.reason)}`
  if (record.wouldRefuse !== undefined) line += `,"would_refuse":${quoteJson(record.wouldRefuse)}`
  line += `,"bytes_in":${record.bytesIn},"bytes_out":${record.bytesOut},"total_ms":${roundMs(record.totalMs)}`
  if (record.connectMs !== undefined) line += `,"connect_ms":${roundMs(record.connectMs)}`
  if (record.firstByteMs !== undefined) line += `,"first_byte_ms":${roundMs(record.firstByteMs)}`
  return `${line}}\n`
}

/** The record as a JSON line tells it, or undefined where the line is of something else. */
export function parseAccessFields(fields: Readonly<Record<string, unknown>>): AccessRecord | undefined {
  if (fields['msg'] !== 'request' && fields['msg'] !== 'tunnel') return undefined
  if (typeof fields['request_id'] !== 'string') return undefined
  return {
    requestId: fields['request_id'],
    client: text(fields['client']) ?? '',
    method: text(fields['method']) ?? '',
    host: text(fields['host']) ?? '',
    target: text(fields['path']) ?? '',
    protocol: text(fields['protocol']) ?? '',
    route: text(fields['route']),
    backend: text(fields['backend']),
    attempts: count(fields['attempts']) ?? (fields['backend'] === undefined ? 0 : 1),
    status: count(fields['status']) ?? 0,
    reason: text(fields['reason']),
    wouldRefuse: text(fields['would_refuse']),
    bytesIn: count(fields['bytes_in']) ?? 0,
    bytesOut: count(fields['bytes_out']) ?? 0,
    totalMs: count(fields['total_ms']) ?? 0,
    connectMs: count(fields['connect_ms']),
    firstByteMs: count(fields['first_byte_ms']),
    tunnel: fields['msg'] === 'tunnel',
  }
}

/** Whole microseconds; what JSON cannot hold counts as none. */
function roundMs(ms: number): number {
  return Number.isFinite(ms) ? Math.round(ms * 1000) / 1000 : 0
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
