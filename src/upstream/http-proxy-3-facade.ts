import type { ClientRequest } from 'node:http'
import type { UpstreamRequest } from './engine.ts'
import { frameRequest } from './framing.ts'
import type { HttpCall } from './http-call.ts'
import { MAX_RESPONSE_HEAD_BYTES } from './response-fault.ts'

/** What http-proxy-3 touches of a server's request. */
export interface IncomingFacade {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly httpVersionMajor: number
  readonly socket: { readonly destroyed: boolean }
  on(): IncomingFacade
  pipe(client: ClientRequest): ClientRequest
}

const NO_FIELDS: Readonly<Record<string, string>> = {}
const LIVE_SOCKET = { destroyed: false }

/** What it touches of a server's response: nothing is left to do there. */
export const OUTGOING_FACADE = {
  headersSent: false,
  finished: true,
  writableFinished: true,
  on() {
    return this
  },
}

/** Plays the client's request; where http-proxy-3 would pipe its body, the call takes the outgoing request over. */
export function createIncomingFacade({ method }: UpstreamRequest, call: HttpCall): IncomingFacade {
  return {
    method,
    url: '/',
    headers: NO_FIELDS,
    httpVersionMajor: 1,
    socket: LIVE_SOCKET,
    on() {
      return this
    },
    pipe(client) {
      call.attach(client)
      return client
    },
  }
}

/**
 * The options object that http-proxy-3 fills in for node:http (its `ssl` setting). What it would compute for the path
 * and the fields loses bytes, order, case and duplicates, so that these two stay as they are whatever is assigned.
 */
export function createOutgoingOptions(request: UpstreamRequest): object {
  const fields = frameRequest(request)
  const { path } = request
  return {
    maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
    get headers() {
      return fields
    },
    set headers(_computed) {},
    get path() {
      return path
    },
    set path(_computed) {},
  }
}
