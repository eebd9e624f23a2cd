import type { Exchange, RequestHead, Responder, UpgradeExchange } from '../exchange.ts'
import { findHeader } from '../header-list.ts'
import type { AccessLog } from '../log/access-log.ts'
import { REASONS, type Reason } from '../reason.ts'
import { locate } from '../routing/redirects.ts'
import { type ParsedTarget, parseRequestTarget } from '../routing/request-target.ts'
import type { UpstreamEngine, UpstreamRequest } from '../upstream/engine.ts'
import { type ClientIdentity, resolveClient } from './client-identity.ts'
import { answerError, statusTextOf } from './error-page.ts'
import { type ExchangeCounters, ExchangeLog } from './exchange-log.ts'
import { Forward } from './forward.ts'
import { buildRequestHeaders } from './headers/request-headers.ts'
import { createRequestIds } from './headers/request-id.ts'
import { MeteredBody } from './metered-body.ts'
import { locateOnTls } from './tls-redirect.ts'
import type { TunnelSet } from './tunnel-set.ts'
import type { CompiledAction, ProxyAction, World } from './world.ts'

export interface PipelineParts {
  readonly engine: UpstreamEngine
  readonly access: AccessLog
  readonly tunnels: TunnelSet
}

/** An exchange whose client is known: what every step after that needs. */
interface Arrival {
  readonly head: RequestHead
  readonly identity: ClientIdentity
  readonly responder: Responder
  readonly log: ExchangeLog
  readonly body: Exchange['body']
  readonly upgrade: UpgradeExchange | undefined
}

/** A request that never became an exchange; its listener has answered it. */
export interface Refusal {
  readonly client: Exchange['client']
  readonly reason: Reason
  readonly status: number
  readonly method: string | undefined
  readonly target: string | undefined
}

/** Takes exchanges of any listener to their end: route, backend, response, one log line. */
export class Pipeline {
  readonly counters: ExchangeCounters = { inFlight: 0, requests: 0 }
  #parts: PipelineParts
  #world: World
  #nextRequestId = createRequestIds()

  constructor(parts: PipelineParts, world: World) {
    this.#parts = parts
    this.#world = world
  }

  /** For exchanges that begin from now on; those under way keep the world they began with. */
  use(world: World): void {
    this.#world = world
  }

  exchange({ head, client, body, responder }: Exchange): void {
    const world = this.#world
    const identity = resolveClient(world.trust, client, head)
    const log = this.#open(head, identity)
    this.#route(world, { head, identity, responder, log, body, upgrade: undefined })
  }

  upgrade(upgrade: UpgradeExchange): void {
    const world = this.#world
    const { head, client, responder } = upgrade
    const identity = resolveClient(world.trust, client, head)
    const log = this.#open(head, identity)
    this.#route(world, { head, identity, responder, log, body: undefined, upgrade })
  }

  /**
   * Sends a plain request on to the same place behind TLS, with 308: unlike 301 (RFC 9110 §15.4.2) it does not let a
   * client turn a POST into a GET.
   */
  redirectToTls({ head, client, responder }: Exchange | UpgradeExchange, tlsPort: number): void {
    const identity = resolveClient(this.#world.trust, client, head)
    const log = this.#open(head, identity)
    const arrival = { head, identity, responder, log, body: undefined, upgrade: undefined }
    const location = locateOnTls(head, tlsPort)
    if (location === undefined) answer(arrival, 'bad_request')
    else redirect(arrival, 308, location, [])
  }

  /** Logs what a listener refused by itself. */
  refused({ client, reason, status, method, target }: Refusal): void {
    const head: RequestHead = {
      method: method ?? '',
      target: target ?? '',
      authority: '',
      headers: [],
      httpVersion: '1.1',
    }
    const log = this.#open(head, resolveClient(undefined, client, head))
    log.status = status
    log.fail(reason)
    log.finish(false)
  }

  #open(head: RequestHead, identity: ClientIdentity): ExchangeLog {
    const requestId = identity.requestId ?? this.#nextRequestId()
    return new ExchangeLog(head, identity.address, requestId, this.#parts.access, this.counters)
  }

  #route(world: World, arrival: Arrival): void {
    const { head, log } = arrival
    const target = parseRequestTarget(head.target)
    const location = world.redirects.find(target)
    if (location !== undefined) {
      redirect(arrival, 302, location, [])
      return
    }
    const match = world.table.match(head.authority, target, head.method)
    switch (match.kind) {
      case 'bad':
        answer(arrival, 'bad_request')
        return
      case 'no_route':
        answer(arrival, 'no_route')
        return
      case 'route':
        log.route = match.value.name
        this.#act(world, match.value.action, arrival, target, match.path)
    }
  }

  #act(world: World, action: CompiledAction, arrival: Arrival, target: ParsedTarget, path: string): void {
    switch (action.kind) {
      case 'proxy':
        this.#forward(world, action, arrival, path)
        return
      case 'redirect':
        redirect(arrival, action.status, locate(action.redirect, target), action.headers)
        return
      case 'respond':
        respond(arrival, action.status, action.headers, action.body)
    }
  }

  #forward(world: World, action: ProxyAction, arrival: Arrival, path: string): void {
    const { head, identity, responder, log, body, upgrade } = arrival
    const limitBytes = world.bodyLimitBytes
    if (limitBytes > 0 && (body?.lengthBytes ?? 0) > limitBytes) {
      answer(arrival, 'body_too_large')
      return
    }
    log.backend = action.backendName
    const { engine, tunnels } = this.#parts
    const target = upgrade === undefined ? undefined : { exchange: upgrade, tunnels }
    const forward = new Forward(action, head, responder, log, target)
    const request: UpstreamRequest = {
      method: head.method,
      path,
      headers: buildRequestHeaders(action.requestHeaders, {
        head,
        identity,
        requestId: log.requestId,
        backend: action.authority,
        upgrade: upgrade !== undefined,
      }),
      body: body === undefined ? undefined : new MeteredBody(body, limitBytes, forward),
      timeouts: action.timeouts,
    }
    const { backend } = action
    forward.begin(
      upgrade === undefined ? engine.request(backend, request, forward) : engine.upgrade(backend, request, forward),
    )
  }
}

/** Answers with what the proxy makes itself; the log line is written when the answer left. */
function respond({ responder, log }: Arrival, status: number, headers: readonly string[], body: Buffer): void {
  watchAnswer(responder, log)
  log.status = status
  log.bytesOut = body.length
  const fields = [...headers, 'X-Request-Id', log.requestId]
  responder.head({ status, statusText: statusTextOf(status), headers: fields })
  if (body.length > 0) responder.write(body)
  responder.end([])
}

function redirect(arrival: Arrival, status: number, location: string, headers: readonly string[]): void {
  respond(arrival, status, ['Location', location, 'Content-Length', '0', ...headers], Buffer.alloc(0))
}

function answer({ head, responder, log }: Arrival, reason: Reason): void {
  watchAnswer(responder, log)
  const { status } = REASONS[reason]
  log.status = status
  log.fail(reason)
  const accept = findHeader(head.headers, 'accept')
  log.bytesOut = answerError(responder, { reason, status, requestId: log.requestId, accept })
}

function watchAnswer(responder: Responder, log: ExchangeLog): void {
  responder.watch({
    drained: () => {},
    finished: () => log.finish(false),
    gone: (reason) => {
      log.fail(reason)
      log.finish(false)
    },
  })
}
