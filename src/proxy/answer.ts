import { findHeader, type HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import type { Arrival } from './arrival.ts'
import { answerError, statusTextOf } from './error-page.ts'

/** Answers with what the proxy makes itself; the log line is written when the answer left. */
export function respond(arrival: Arrival, status: number, headers: HeaderList, body: Buffer): void {
  const { responder, log } = arrival
  watchAnswer(arrival)
  log.status = status
  log.bytesOut = body.length
  const fields = [...headers, 'X-Request-Id', log.requestId, ...arrival.responseFields]
  responder.head({ status, statusText: statusTextOf(status), headers: fields })
  if (body.length > 0) responder.write(body)
  responder.end([])
}

export function redirect(arrival: Arrival, status: number, location: string, headers: HeaderList): void {
  respond(arrival, status, ['Location', location, 'Content-Length', '0', ...headers], Buffer.alloc(0))
}

/** Answers with the error of that reason; `fields` are for this answer alone. */
export function answerFailure(arrival: Arrival, reason: Reason, fields: HeaderList = []): void {
  watchAnswer(arrival)
  writeError(arrival, reason, REASONS[reason].status, fields)
}

/** Sends the error and notes it; the responder's watcher is left as it is. */
export function writeError(arrival: Arrival, reason: Reason, status: number, fields: HeaderList = []): void {
  const { head, responder, log, responseFields, errorPages: pages } = arrival
  log.fail(reason)
  log.status = status
  log.bytesOut = answerError(responder, {
    reason,
    status,
    requestId: log.requestId,
    accept: findHeader(head.headers, 'accept'),
    pages,
    fields: fields.length === 0 ? responseFields : [...responseFields, ...fields],
  })
}

function watchAnswer({ responder, log }: Arrival): void {
  responder.watch({
    drained: () => {},
    finished: () => log.finish(false),
    gone: (reason) => {
      log.fail(reason)
      log.finish(false)
    },
  })
}
