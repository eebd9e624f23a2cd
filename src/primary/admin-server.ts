import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { EXPOSITION_TYPE } from '../metrics/exposition.ts'

/** What the admin listener tells. */
export interface AdminAnswers {
  /** Metrics as Prometheus text. */
  metrics(): string
  /** Plain data. */
  status(): object
  readonly isStopping: boolean
  /** Why no traffic should be sent here; undefined: it should. */
  readonly unready: string | undefined
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const MAX_CONNECTIONS = 64
const MAX_HEADER_BYTES = 8_192
const REQUEST_MS = 5_000
const CHECK_EVERY_MS = 1_000
/** Longest silence of a connection; most scrapes come more often. */
const IDLE_MS = 65_000

const PAGES: ReadonlyMap<string, (answers: AdminAnswers) => Page> = new Map([
  ['/metrics', (answers) => ({ status: 200, type: EXPOSITION_TYPE, text: answers.metrics() })],
  [
    '/status',
    (answers) => ({
      status: 200,
      type: JSON_TYPE,
      text: `${JSON.stringify({ running: true, ...answers.status() })}\n`,
    }),
  ],
  ['/healthz', ({ isStopping }) => (isStopping ? textPage(503, 'stopping') : textPage(200, 'ok'))],
  ['/readyz', ({ unready }) => (unready === undefined ? textPage(200, 'ready') : textPage(503, unready))],
])

/** Answers who asks for metrics, health or status; takes nothing else, and holds nothing for long. */
export function createAdminServer(answers: AdminAnswers, logger: Logger): Server {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    keepAliveTimeout: IDLE_MS,
  }
  const server = createServer(options, (request, response) => answer(request, response, answers, logger))
  server.maxConnections = MAX_CONNECTIONS
  server.timeout = IDLE_MS
  return server
}

function answer(request: IncomingMessage, response: ServerResponse, answers: AdminAnswers, logger: Logger): void {
  const { method, url = '' } = request
  const [path = ''] = url.split('?', 1)
  const page = PAGES.get(path)
  if (page === undefined) send(response, textPage(404, `not found: ${[...PAGES.keys()].join(', ')}`))
  else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    // What may follow as a body is not read.
    response.setHeader('Connection', 'close')
    send(response, textPage(405, 'only GET and HEAD'))
  } else send(response, compose(page, answers, logger))
}

function compose(page: (answers: AdminAnswers) => Page, answers: AdminAnswers, logger: Logger): Page {
  try {
    return page(answers)
  } catch (error) {
    // A fault of this program: it would end the daemon, and with it everything that serves.
    logger.error({ err: error }, 'an admin request failed')
    return textPage(500, 'failed, see the log')
  }
}

/** For HEAD node:http drops the text by itself. */
function send(response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  })
  response.end(text)
}

function textPage(status: number, text: string): Page {
  return { status, type: TEXT, text: `${text}\n` }
}
