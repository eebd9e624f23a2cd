import type { Responder } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'

export interface ErrorAnswer {
  readonly reason: Reason
  /** Differs from the reason's own status only where HTTP has a better one (408 for a client that stalls). */
  readonly status: number
  readonly requestId: string
  /** The request's Accept field; undefined: none. */
  readonly accept: string | undefined
  /** Further fields. */
  readonly fields: HeaderList
}

/**
 * Answers with an error that the proxy makes itself: HTML for a client that prefers it, else JSON. Says nothing of
 * backends, paths or hosts. Must not be called once a head was sent.
 */
export function answerError(responder: Responder, answer: ErrorAnswer): number {
  const html = prefersHtml(answer.accept)
  const body = Buffer.from(html ? renderHtml(answer) : renderJson(answer))
  const headers: HeaderList = [
    'Content-Type',
    html ? 'text/html; charset=utf-8' : 'application/json',
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

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** RFC 9110 §12.5.1, as far as two candidates need it: HTML only where it is named and weighs at least as much as JSON. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('text/html')) return false
  const html = weightOf(accept, 'text/html')
  return html > 0 && html >= weightOf(accept, 'application/json')
}

function weightOf(accept: string, type: string): number {
  for (const range of accept.split(',')) {
    const [name, ...parameters] = range.split(';')
    if (name?.trim().toLowerCase() !== type) continue
    const quality = parameters.find((parameter) => parameter.trim().toLowerCase().startsWith('q='))
    const weight = quality === undefined ? 1 : Number(quality.trim().slice(2))
    return Number.isFinite(weight) ? weight : 0
  }
  return 0
}
