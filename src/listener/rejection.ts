import { type ServerResponse, STATUS_CODES } from 'node:http'
import { REASONS, type Reason } from '../reason.ts'
import { renderHead } from './response-fields.ts'

/** Why a listener answers by itself. */
export interface Rejection {
  readonly reason: Reason
  readonly status: number
  /** For the log: never shown to the client. */
  readonly detail: string
}

/** Answers what is no exchange; Node closes the connection after it. */
export function sendRejection(response: ServerResponse, rejection: Rejection): void {
  const { statusText, fields, body } = describeAnswer(rejection)
  response.writeHead(rejection.status, statusText, fields)
  response.end(body)
}

/** The same as bytes, for a connection that has no response object. */
export function renderRejection(rejection: Rejection): string {
  const { statusText, fields, body } = describeAnswer(rejection)
  return renderHead(rejection.status, statusText, [...fields, 'Date', new Date().toUTCString()]) + body
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

function describeAnswer({ reason, status }: Rejection) {
  const body = `${JSON.stringify({ error: reason, status, message: REASONS[reason].detail })}\n`
  const fields = [
    ...['Content-Type', 'application/json'],
    ...['Content-Length', String(body.length)],
    ...['Cache-Control', 'no-store'],
    ...['X-Pyserve-Reason', reason],
    ...['Connection', 'close'],
  ]
  return { statusText: STATUS_CODES[status] ?? '', fields, body }
}
