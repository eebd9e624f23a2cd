import type { Exchange, RequestHead, Responder, UpgradeExchange } from '../exchange.ts'
import { NO_HEADERS } from '../header-list.ts'
import type { AccessLog } from '../log/access-log.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import type { Reason } from '../reason.ts'
import { locate } from '../routing/redirects.ts'
import { type ParsedTarget, parseRequestTarget } from '../routing/request-target.ts'
import type { RouteMatch } from '../routing/route-table.ts'
import { answerFailure, redirect, respond } from './answer.ts'
import type { Arrival } from './arrival.ts'
import { type ClientIdentity, resolveClient } from './client-identity.ts'
import { ExchangeLog } from './exchange-log.ts'
import { Forward, type ForwardParts } from './forward.ts'
import { passGates } from './gate.ts'
import { createRequestIds } from './headers/request-id.ts'
import type { PauseDesk } from './pause-desk.ts'
import { preflightMethod } from './preflight.ts'
import { locateOnTls } from './tls-redirect.ts'
import type { CompiledAction, CompiledRoute, World } from './world.ts'

export interface PipelineParts extends ForwardParts {
  readonly access: AccessLog
  readonly metrics: WorkerMetrics
  readonly pauses: PauseDesk
}

/** A request that never became an exchange; its listener has answered it. */
export interface Refusal {
  readonly client: Exchange['client']
  readonly reason: Reason
  readonly status: number
  readonly method: string | undefined
  readonly target: string | undefined
}

/** Takes exchanges of any listener to their end: route, backend, response, one log line, one count. */
export class Pipeline {
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
    this.#route(world, this.#arrive(resolveClient(world.trust, client, head), head, responder, body, undefined))
  }

  upgrade(upgrade: UpgradeExchange): void {
    const world = this.#world
    const { head, client, responder } = upgrade
    this.#route(world, this.#arrive(resolveClient(world.trust, client, head), head, responder, undefined, upgrade))
  }

  /**
   * Sends a plain request on to the same place behind TLS, with 308: unlike 301 (RFC 9110 §15.4.2) it does not let a
   * client turn a POST into a GET.
   */
  redirectToTls({ head, client, responder }: Exchange | UpgradeExchange, tlsPort: number): void {
    const identity = resolveClient(this.#world.trust, client, head)
    const arrival = this.#arrive(identity, head, responder, undefined, undefined)
    const location = locateOnTls(head, tlsPort)
    if (location === undefined) answerFailure(arrival, 'bad_request')
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
    const { access, metrics } = this.#parts
    return new ExchangeLog(head, identity.address, requestId, access, metrics)
  }

  #arrive(
    identity: ClientIdentity,
    head: RequestHead,
    responder: Responder,
    body: Exchange['body'],
    upgrade: UpgradeExchange | undefined,
  ): Arrival {
    const log = this.#open(head, identity)
    return {
      head,
      identity,
      log,
      upgrade,
      errorPages: this.#world.errorPages,
      responder,
      body,
      requestFields: NO_HEADERS,
      responseFields: NO_HEADERS,
    }
  }

  #route(world: World, arrival: Arrival): void {
    const { head, log } = arrival
    const target = parseRequestTarget(head.target)
    const location = world.redirects.find(target)
    if (location !== undefined) {
      redirect(arrival, 302, location, [])
      return
    }
    const match = findRoute(world, head, target)
    switch (match.kind) {
      case 'bad':
        answerFailure(arrival, 'bad_request')
        return
      case 'no_route':
        answerFailure(arrival, 'no_route')
        return
      case 'route': {
        const { name, series, gates, action, errorPages } = match.value
        log.route = name
        log.series = series
        arrival.errorPages = errorPages
        const pause = this.#parts.pauses.isIdle ? undefined : this.#parts.pauses.gateFor(name)
        const way = pause === undefined ? gates : [...(gates ?? []), pause]
        const passed = way === undefined || passGates(way, arrival)
        if (passed === true) this.#act(action, arrival, target, match.path)
        else if (passed !== false) void this.#actLater(passed, action, arrival, target, match.path)
      }
    }
  }

  async #actLater(
    passed: Promise<boolean>,
    action: CompiledAction,
    arrival: Arrival,
    target: ParsedTarget,
    path: string,
  ): Promise<void> {
    if (await passed) this.#act(action, arrival, target, path)
  }

  #act(action: CompiledAction, arrival: Arrival, target: ParsedTarget, path: string): void {
    switch (action.kind) {
      case 'proxy':
        if (action.bodyLimitBytes > 0 && (arrival.body?.lengthBytes ?? 0) > action.bodyLimitBytes) {
          answerFailure(arrival, 'body_too_large')
          return
        }
        action.mirror?.copy(this.#parts.engine, action, arrival, path)
        new Forward(this.#parts, action, arrival, path).start()
        return
      case 'redirect':
        redirect(arrival, action.status, locate(action.redirect, target), action.headers)
        return
      case 'respond':
        respond(arrival, action.status, action.headers, action.body)
    }
  }
}

/** A preflight belongs to the route that takes the request it asks leave for. */
function findRoute({ table }: World, head: RequestHead, target: ParsedTarget): RouteMatch<CompiledRoute> {
  const asked = target.kind === 'path' ? preflightMethod(head) : undefined
  if (asked !== undefined) {
    const match = table.match(head.authority, target, asked)
    if (match.kind === 'route' && match.value.takesPreflights) return match
  }
  return table.match(head.authority, target, head.method)
}
