import { STATUS_CODES } from 'node:http'
import { REASONS, type Reason } from '../reason.ts'
import { renderHead } from './response-fields.ts'

/** Why a listener answers by itself. */
export interface Rejection {
  readonly reason: Reason
  readonly status: number
  /** For the log: never shown to the client. */
  readonly detail: string
}

/** The answer to what is no exchange; the connection closes after it. */
export function renderRejection({ reason, status }: Rejection): string {
  const body = `${JSON.stringify({ error: reason, status, message: REASONS[reason].detail })}\n`
  const fields = [
    ...['Content-Type', 'application/json'],
    ...['Content-Length', String(body.length)],
    ...['Cache-Control', 'no-store'],
    ...['X-Pyserve-Reason', reason],
    ...['Connection', 'close'],
    ...['Date', new Date().toUTCString()],
  ]
  return renderHead(status, STATUS_CODES[status] ?? '', fields) + body
}
