import type { ForwardAuthConfig } from '../config/forward-auth-config.ts'
import type { ResponseHead } from '../exchange.ts'
import { type HeaderList, headerValues, NO_HEADERS, withoutHeader } from '../header-list.ts'
import { parseRequestTarget } from '../routing/request-target.ts'
import type { Backend } from '../upstream/backend.ts'
import type { BackendRegistry } from '../upstream/backend-registry.ts'
import type { Attempt, ResponseSink, UpstreamEngine, UpstreamFailure, UpstreamReason } from '../upstream/engine.ts'
import type { Arrival } from './arrival.ts'
import type { Gate, Verdict } from './gate.ts'
import { withoutHopByHop } from './headers/hop-by-hop.ts'
import { buildRequestHeaders, compileRequestHeaders } from './headers/request-headers.ts'

/** Longest body of an answer that a client is given. */
const MOST_BODY_BYTES = 256 * 1024

/** They ask for a part of the backend's response, or say what the client has of it: the service's answer is another. */
const FIELDS_FOR_BACKEND = [
  'content-encoding',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]
/** An answer to a client has these of its own. */
const OWN_FIELDS = ['content-length', 'x-request-id']
/** The service is told these; what the client says in them it must not believe. */
const QUESTION_FIELDS = [
  'x-forwarded-method',
  'x-forwarded-uri',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
]

const QUESTION = compileRequestHeaders({
  path: '/',
  stripPath: false,
  preserveHost: false,
  headers: { request: { set: [], remove: [...FIELDS_FOR_BACKEND, ...QUESTION_FIELDS] } },
})

/**
 * Asks a service about every request, with GET and without its body: 2xx lets it pass, any other answer is the client's.
 * A service that does not answer in time, or not well, lets nobody in.
 */
export function createForwardAuthGate(
  config: ForwardAuthConfig,
  registry: BackendRegistry,
  engine: UpstreamEngine,
): Gate {
  const { path, copyHeaders, timeoutMs } = config
  const [backend] = registry.acquire([config.backend])
  if (backend === undefined) throw new Error('there is no service to ask')
  return {
    enter: (arrival) =>
      new Promise((decide) => new Question(arrival, backend, copyHeaders, decide).ask(engine, path, timeoutMs)),
  }
}

/** The path is the one that a route was found by: a service that judged another could be led by the nose. */
function buildQuestion({ head, identity, log, requestFields }: Arrival, { authority }: Backend): HeaderList {
  const target = parseRequestTarget(head.target)
  const input = { head, identity, requestId: log.requestId, backend: authority, upgrade: false, fields: requestFields }
  const headers = buildRequestHeaders(QUESTION, input)
  headers.push('X-Forwarded-Method', head.method, 'X-Forwarded-Uri', target.kind === 'path' ? target.uri : head.target)
  return headers
}

/** One request to the service, and what follows from its answer. */
class Question implements ResponseSink {
  readonly #arrival: Arrival
  readonly #backend: Backend
  readonly #copyHeaders: readonly string[]
  readonly #decide: (verdict: Verdict | undefined) => void
  #attempt: Attempt | undefined
  #timer: NodeJS.Timeout | undefined
  #answer: ResponseHead | undefined
  readonly #body: Buffer[] = []
  #bodyBytes = 0
  #isOver = false

  constructor(
    arrival: Arrival,
    backend: Backend,
    copyHeaders: readonly string[],
    decide: (verdict: Verdict | undefined) => void,
  ) {
    this.#arrival = arrival
    this.#backend = backend
    this.#copyHeaders = copyHeaders
    this.#decide = decide
  }

  ask(engine: UpstreamEngine, path: string, timeoutMs: number): void {
    const backend = this.#backend
    const timeouts = { connectMs: timeoutMs, responseMs: timeoutMs, idleMs: timeoutMs }
    const headers = buildQuestion(this.#arrival, backend)
    backend.state.inFlight++
    backend.series.countRequest()
    this.#timer = setTimeout(() => this.#giveUp('response_timeout'), timeoutMs)
    this.#arrival.log.onFinish(() => this.#giveUp('client_gone'))
    this.#attempt = engine.request(backend, { method: 'GET', path, headers, body: undefined, timeouts }, this)
  }

  connected(): void {}

  inform(): void {}

  head(head: ResponseHead): void {
    this.#answer = head
  }

  data(chunk: Buffer): boolean {
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > MOST_BODY_BYTES) this.#giveUp('bad_response')
    else this.#body.push(chunk)
    return true
  }

  end(): void {
    const answer = this.#answer
    if (this.#isOver || answer === undefined) return
    this.#leave()
    if (answer.status >= 200 && answer.status < 300) this.#admit(answer.headers)
    else this.#decide(this.#relay(answer))
  }

  fail({ reason }: UpstreamFailure): void {
    this.#refuse(reason)
  }

  #admit(headers: HeaderList): void {
    const names = this.#copyHeaders
    let fields = names.reduce((kept, name) => withoutHeader(kept, name.toLowerCase()), this.#arrival.requestFields)
    for (const name of names) {
      fields = [...fields, ...headerValues(headers, name.toLowerCase()).flatMap((value) => [name, value])]
    }
    this.#arrival.requestFields = fields
    this.#decide(undefined)
  }

  #relay({ status, headers }: ResponseHead): Verdict {
    const { log } = this.#arrival
    log.backend = this.#backend.name
    if (status === 401) log.fail('unauthorized')
    if (status === 403) log.fail('forbidden')
    const body = Buffer.concat(this.#body)
    const fields = OWN_FIELDS.reduce(withoutHeader, withoutHopByHop(headers))
    return { kind: 'respond', status, headers: [...fields, 'Content-Length', String(body.length)], body }
  }

  #giveUp(reason: UpstreamReason | 'client_gone'): void {
    if (this.#isOver) return
    this.#attempt?.abort()
    this.#refuse(reason)
  }

  #refuse(reason: UpstreamReason | 'client_gone'): void {
    if (this.#isOver) return
    this.#leave()
    const backend = this.#backend
    if (reason !== 'client_gone') {
      backend.series.countFailure(reason)
      this.#arrival.log.backend = backend.name
    }
    this.#decide({ kind: 'refuse', reason, fields: NO_HEADERS })
  }

  #leave(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#backend.state.inFlight--
  }
}
