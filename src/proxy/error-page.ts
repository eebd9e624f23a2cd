import type { Responder } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import { weightOfRange } from './accept.ts'
import type { ErrorPages } from './error-pages.ts'
import { escapeHtml } from './escape-html.ts'

export interface ErrorAnswer {
  readonly reason: Reason
  /** Differs from the reason's own status only where HTTP has a better one (408 for a client that stalls). */
  readonly status: number
  readonly requestId: string
  /** The request's Accept field; undefined: none. */
  readonly accept: string | undefined
  /** Further fields. */
  readonly fields: HeaderList
  /** Undefined: the built-in ones. */
  readonly pages: ErrorPages | undefined
}

/**
 * Answers with an error that the proxy makes itself: with the page that was made for it, else HTML for a client that prefers
 * it, else JSON. Says nothing of backends, paths or hosts. Must not be called once a head was sent.
 */
export function answerError(responder: Responder, answer: ErrorAnswer): number {
  const { contentType, text } = renderPage(answer)
  const body = Buffer.from(text)
  const headers: HeaderList = [
    'Content-Type',
    contentType,
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'X-Pyserve-Reason',
    answer.reason,
    'X-Request-Id',
    answer.requestId,
    ...answer.fields,
  ]
  responder.head({ status: answer.status, statusText: statusTextOf(answer.status), headers })
  responder.write(body)
  responder.end([])
  return body.length
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** The reason phrase that goes with a status the proxy makes itself; '' where it has none to offer. */
export function statusTextOf(status: number): string {
  return STATUS_TEXTS[status] ?? ''
}

function renderPage(answer: ErrorAnswer): { readonly contentType: string; readonly text: string } {
  const { reason, status, requestId, accept, pages } = answer
  const page = pages?.find(reason, status, accept)
  if (page !== undefined) {
    const values = { status: String(status), status_text: statusTextOf(status), reason, request_id: requestId }
    return { contentType: page.contentType, text: page.render({ ...values, message: REASONS[reason].detail }) }
  }
  return prefersHtml(accept)
    ? { contentType: 'text/html; charset=utf-8', text: renderHtml(answer) }
    : { contentType: 'application/json', text: renderJson(answer) }
}

function renderJson({ reason, status, requestId }: ErrorAnswer): string {
  const { detail } = REASONS[reason]
  return `${JSON.stringify({ error: reason, status, message: detail, request_id: requestId })}\n`
}

function renderHtml({ reason, status, requestId }: ErrorAnswer): string {
  const title = `${status} ${statusTextOf(status)}`
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(REASONS[reason].detail)}</p>
<p><small>${escapeHtml(reason)} · request ${escapeHtml(requestId)}</small></p>
</body>
</html>
`
}

/** RFC 9110 §12.5.1, as far as two candidates need it: HTML only where it is named and weighs at least as much as JSON. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('text/html')) return false
  const html = weightOfRange(accept, 'text/html') ?? 0
  return html > 0 && html >= (weightOfRange(accept, 'application/json') ?? 0)
}
