export interface ReasonTraits {
  /** Status that the proxy answers with; 499 is only ever logged. */
  readonly status: number
  readonly source: 'downstream' | 'proxy' | 'upstream'
  /** One sentence for a person, without addresses or paths. */
  readonly detail: string
}

/** Why an exchange failed: a closed set, the same word in the access log, metrics and `X-Pyserve-Reason`. */
export const REASONS = {
  no_route: { status: 404, source: 'proxy', detail: 'No route matches this request.' },
  bad_request: { status: 400, source: 'downstream', detail: 'The request is malformed.' },
  header_too_large: { status: 431, source: 'downstream', detail: 'The request header is too large.' },
  body_too_large: { status: 413, source: 'downstream', detail: 'The request body is too large.' },
  forbidden: { status: 403, source: 'proxy', detail: 'Access is denied.' },
  unauthorized: { status: 401, source: 'proxy', detail: 'Authentication is required.' },
  rate_limited: { status: 429, source: 'proxy', detail: 'Too many requests.' },
  over_capacity: { status: 503, source: 'proxy', detail: 'The server is at capacity.' },
  no_backend: { status: 503, source: 'proxy', detail: 'No backend is available.' },
  connect_failed: { status: 502, source: 'upstream', detail: 'The backend could not be reached.' },
  connect_timeout: { status: 504, source: 'upstream', detail: 'The backend could not be reached in time.' },
  tls_failed: { status: 502, source: 'upstream', detail: 'A secure connection to the backend failed.' },
  backend_reset: { status: 502, source: 'upstream', detail: 'The backend closed the connection.' },
  bad_response: { status: 502, source: 'upstream', detail: 'The backend sent a malformed response.' },
  response_timeout: { status: 504, source: 'upstream', detail: 'The backend did not answer in time.' },
  idle_timeout: { status: 504, source: 'upstream', detail: 'The transfer stalled.' },
  client_gone: { status: 499, source: 'downstream', detail: 'The client closed the connection.' },
  draining: { status: 503, source: 'proxy', detail: 'The server is shutting down.' },
} as const satisfies Record<string, ReasonTraits>

export type Reason = keyof typeof REASONS
