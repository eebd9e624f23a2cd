import type { Responder, ResponderWatcher, ResponseHead } from '../../src/exchange.ts'
import type { HeaderList } from '../../src/header-list.ts'

export interface SentResponse {
  informed: { status: number; headers: HeaderList }[]
  head: ResponseHead | undefined
  body: Buffer
  trailers: HeaderList | undefined
  ended: boolean
  aborted: boolean
}

export interface RecordedResponder extends Responder {
  readonly sent: SentResponse
  readonly watcher: ResponderWatcher | undefined
  /** What the next `write` returns. */
  accepts: boolean
}

/** A responder that keeps what it is given: the client's side of an exchange without a connection. */
export function recordResponder(): RecordedResponder {
  const sent: SentResponse = {
    informed: [],
    head: undefined,
    body: Buffer.alloc(0),
    trailers: undefined,
    ended: false,
    aborted: false,
  }
  let watcher: ResponderWatcher | undefined
  return {
    sent,
    accepts: true,
    get watcher() {
      return watcher
    },
    get headSent() {
      return sent.head !== undefined
    },
    watch(given) {
      watcher = given
    },
    inform(status, headers) {
      sent.informed.push({ status, headers })
    },
    head(head) {
      sent.head = head
    },
    write(chunk) {
      sent.body = Buffer.concat([sent.body, chunk])
      return this.accepts
    },
    end(trailers) {
      sent.trailers = trailers
      sent.ended = true
    },
    abort() {
      sent.aborted = true
    },
  }
}
