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

/** The answer to what is no exchange: the connection closes after it. */
export interface RejectionAnswer {
  readonly statusText: string
  /** Connection is not among them. */
  readonly fields: string[]
  readonly body: string
}

export function answerRejection({ reason, status }: Rejection): RejectionAnswer {
  const body = `${JSON.stringify({ error: reason, status, message: REASONS[reason].detail })}\n`
  return {
    statusText: STATUS_CODES[status] ?? '',
    fields: [
      ...['Content-Type', 'application/json'],
      ...['Content-Length', String(body.length)],
      ...['Cache-Control', 'no-store'],
      ...['X-Pyserve-Reason', reason],
    ],
    body,
  }
}

/** The same as bytes, for a connection that has no response object. */
export function renderRejection(rejection: Rejection): string {
  const { statusText, fields, body } = answerRejection(rejection)
  const date = ['Date', new Date().toUTCString()]
  return renderHead(rejection.status, statusText, [...fields, ...date, 'Connection', 'close']) + body
}

/** The rejection that a failure of Node's parser means; undefined where the connection itself broke. */
export function rejectionOf(error: NodeJS.ErrnoException): Rejection | undefined {
  const { code = '', message } = error
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    // RFC 9110 §15.5.9: it is the client that was too slow, not a gateway.
    return { reason: 'idle_timeout', status: 408, detail: 'the request head did not arrive in time' }
  }
  if (!code.startsWith('HPE_')) return undefined
  const reason = code === 'HPE_HEADER_OVERFLOW' ? 'header_too_large' : 'bad_request'
  return { reason, status: REASONS[reason].status, detail: `${code}: ${message}` }
}
