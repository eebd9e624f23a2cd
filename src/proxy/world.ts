import type { Config, RouteAction, RouteConfig, UpstreamConfig } from '../config/config.ts'
import { findHeader } from '../header-list.ts'
import { createPassiveHealth, type PassiveHealth } from '../health/passive-health.ts'
import { joinPassiveHealth, type WatchedUpstream } from '../health/split-health.ts'
import type { LimitPlan } from '../limits/limit-plan.ts'
import type { RouteSeries } from '../metrics/series.ts'
import type { WorkerMetrics } from '../metrics/worker-metrics.ts'
import { compileRedirect, compileRedirects, type Redirect, type Redirects } from '../routing/redirects.ts'
import { compileRouteTable, type RouteTable } from '../routing/route-table.ts'
import type { Backend } from '../upstream/backend.ts'
import type { BackendRegistry } from '../upstream/backend-registry.ts'
import type { AttemptTimeouts, UpstreamEngine } from '../upstream/engine.ts'
import { Split } from '../upstream/split.ts'
import { CHANCE_AND_CLOCK, compileUpstream, type Upstream } from '../upstream/upstream.ts'
import { createAccessGate } from './access-gate.ts'
import { createBasicAuthGate } from './basic-auth-gate.ts'
import { compileTrust, type Trust } from './client-identity.ts'
import { createCompressionGate } from './compression-gate.ts'
import { createConcurrencyGate } from './concurrency-gate.ts'
import { createCorsGate, createPreflightGate } from './cors-gates.ts'
import { createPageCompiler, type ErrorPages } from './error-pages.ts'
import { createForwardAuthGate } from './forward-auth-gate.ts'
import type { Gate } from './gate.ts'
import { createHeaderGate } from './header-gate.ts'
import { compileHeaderRules } from './headers/header-rules.ts'
import { compileRequestHeaders, type RequestHeaderPlan } from './headers/request-headers.ts'
import { compileResponseHeaders, type ResponseHeaderPlan } from './headers/response-headers.ts'
import { compileLocations } from './location-gates.ts'
import { Mirror } from './mirror.ts'
import { createRateGate } from './rate-gate.ts'
import { compileRetryPolicy, type RetryPolicy } from './retry-policy.ts'
import { Seating } from './seating.ts'

/** Everything that exchanges are decided by, compiled from one configuration; each keeps the one it began with. */
export interface World {
  readonly table: RouteTable<CompiledRoute>
  readonly redirects: Redirects
  readonly trust: Trust | undefined
  /** For what no route takes. */
  readonly errorPages: ErrorPages | undefined
  /** As of now: the names of backends may come to stand for others. */
  readonly backends: readonly Backend[]
}

export interface CompiledRoute {
  readonly name: string
  readonly series: RouteSeries
  /** It answers preflights, also those for methods that it takes where OPTIONS is none of them. */
  readonly takesPreflights: boolean
  /** What an exchange passes before the action, in this order; undefined: nothing. */
  readonly gates: readonly Gate[] | undefined
  readonly errorPages: ErrorPages | undefined
  readonly action: CompiledAction
}

export type CompiledAction =
  | ProxyAction
  | { readonly kind: 'respond'; readonly status: number; readonly headers: readonly string[]; readonly body: Buffer }
  | {
      readonly kind: 'redirect'
      readonly status: number
      readonly headers: readonly string[]
      readonly redirect: Redirect
    }

export interface ProxyAction {
  readonly kind: 'proxy'
  readonly upstream: Upstream
  readonly requestHeaders: RequestHeaderPlan
  readonly responseHeaders: ResponseHeaderPlan
  readonly timeouts: AttemptTimeouts
  /** Milliseconds; 0: no limit. */
  readonly totalMs: number
  readonly websocketIdleMs: number
  /** 0: no limit. */
  readonly bodyLimitBytes: number
  /** Undefined where nothing is tried again. */
  readonly retry: RetryPolicy | undefined
  /** Undefined where no request is copied. */
  readonly mirror: Mirror | undefined
  /** Undefined where every backend takes any number. */
  readonly seating: Seating | undefined
  /** Undefined where nobody watches what becomes of requests. */
  readonly passive: PassiveHealth | undefined
}

/** What routes share is compiled once. */
interface Shared {
  /** An upstream by its name. */
  find(name: string): WatchedUpstream
  /** The upstream of a route. */
  ofRoute(route: string, action: Extract<RouteAction, { kind: 'proxy' }>): WatchedUpstream
  /** Its own pages before those of the server. */
  pagesFor(own: RouteConfig['errorPages']): ErrorPages | undefined
  /** What PyServe's locations ask of requests for a route with that path. */
  locationGate(path: string): Gate | undefined
}

/** What a world is compiled with; all of it outlives the world. */
export interface WorldParts {
  readonly registry: BackendRegistry
  readonly metrics: WorkerMetrics
  readonly limits: LimitPlan
  readonly engine: UpstreamEngine
  /** For sticky cookies without a secret of their own. */
  readonly stickySecret: string
}

/** Throws where the configuration cannot be compiled; nothing of the running world has changed then. */
export function compileWorld(config: Config, parts: WorldParts): World {
  const { registry, limits, stickySecret } = parts
  const compile = (group: UpstreamConfig): WatchedUpstream => {
    const { name, maxConnections, passiveHealth } = group
    const places = maxConnections > 0 ? limits.connections(name, maxConnections) : undefined
    const upstream = compileUpstream(group, registry, { stickySecret, places })
    return { upstream, passive: passiveHealth && createPassiveHealth(passiveHealth, () => upstream.backends, registry) }
  }
  const named = new Map(config.upstreams.map((group) => [group.name, compile(group)]))
  const find = (name: string) => {
    const group = named.get(name)
    if (group === undefined) throw new Error(`there is no upstream ${JSON.stringify(name)}`)
    return group
  }
  const ofRoute: Shared['ofRoute'] = (name, { upstream, split }) => {
    if (split === undefined) return typeof upstream === 'string' ? find(upstream) : compile(upstream)
    const sources = { ...CHANCE_AND_CLOCK, stickySecret, find: (group: string) => find(group).upstream }
    const passive = joinPassiveHealth(split.parts.map((part) => find(part.upstream)))
    return { upstream: new Split(name, split, sources), passive }
  }
  const compilePages = createPageCompiler(config.pages)
  const errorPages = compilePages(config.server.errorPages)
  const shared: Shared = {
    find,
    ofRoute,
    pagesFor: (own) => compilePages(own, errorPages),
    locationGate: compileLocations(config.locations),
  }
  const routes = config.routes.map((rule) => ({ rule, value: compileRoute(rule, config, shared, parts) }))
  const own = routes.flatMap(({ value }) => upstreamsOf(value))
  const upstreams = [...new Set([...named.values().map(({ upstream }) => upstream), ...own])]
  const asked = registry.acquire(config.routes.flatMap(({ forwardAuth }) => forwardAuth?.backend ?? []))
  return {
    table: compileRouteTable(routes),
    redirects: compileRedirects(config.redirects),
    trust: compileTrust(config.server.trustedProxies),
    errorPages,
    get backends() {
      return [...new Set([...upstreams.flatMap(({ backends }) => backends), ...asked])]
    },
  }
}

function upstreamsOf({ action }: CompiledRoute): Upstream[] {
  return action.kind === 'proxy' ? [action.upstream] : []
}

function compileRoute(route: RouteConfig, config: Config, shared: Shared, parts: WorldParts): CompiledRoute {
  const { name } = route
  const gates = compileGates(route, shared, parts)
  return {
    name,
    series: parts.metrics.route(name),
    errorPages: shared.pagesFor(route.errorPages),
    takesPreflights: route.cors !== undefined,
    gates: gates.length === 0 ? undefined : gates,
    action: compileAction(route, config, shared),
  }
}

/** In the order in which they are passed. */
function compileGates(route: RouteConfig, shared: Shared, { registry, limits, engine }: WorldParts): Gate[] {
  const { name, access, basicAuth, forwardAuth, cors, rateLimits, concurrency, compression } = route
  const gates: Gate[] = []
  const accessGate = createAccessGate(access)
  if (cors !== undefined) gates.push(createCorsGate(cors))
  if (accessGate !== undefined) gates.push(accessGate)
  if (cors !== undefined) gates.push(createPreflightGate(cors))
  const locationGate = shared.locationGate(route.path)
  if (locationGate !== undefined) gates.push(locationGate)
  if (basicAuth !== undefined) gates.push(createBasicAuthGate(basicAuth))
  if (forwardAuth !== undefined) gates.push(createForwardAuthGate(forwardAuth, registry, engine))
  const headerGate = createHeaderGate(route)
  if (headerGate !== undefined) gates.push(headerGate)
  if (rateLimits.length > 0) gates.push(createRateGate(name, rateLimits, limits))
  if (concurrency > 0) gates.push(createConcurrencyGate(limits.places(name, concurrency)))
  if (compression !== undefined) gates.push(createCompressionGate(compression))
  return gates
}

function compileAction(route: RouteConfig, config: Config, shared: Shared): CompiledAction {
  const { action } = route
  const { set } = compileHeaderRules(route.headers.response)
  switch (action.kind) {
    case 'proxy':
      return compileProxy(route, action, config, shared)
    case 'redirect':
      return { kind: 'redirect', status: action.status, headers: set, redirect: compileRedirect(action.to) }
    case 'respond': {
      const body = Buffer.from(action.body)
      const type = findHeader(set, 'content-type') === undefined ? ['Content-Type', action.contentType] : []
      const headers = [...type, 'Content-Length', String(body.length), ...set]
      return { kind: 'respond', status: action.status, headers, body }
    }
  }
}

function compileProxy(
  route: RouteConfig,
  action: Extract<RouteAction, { kind: 'proxy' }>,
  config: Config,
  shared: Shared,
): ProxyAction {
  const { connectMs, responseMs, idleMs, totalMs, websocketIdleMs } = route.timeouts
  const { upstream, passive } = shared.ofRoute(route.name, action)
  const { mirror } = route
  return {
    kind: 'proxy',
    upstream,
    passive,
    mirror: mirror && new Mirror(mirror, shared.find(mirror.upstream).upstream),
    seating: upstream.room && new Seating(upstream, upstream.room),
    requestHeaders: compileRequestHeaders({ ...route, reserved: route.forwardAuth?.copyHeaders ?? [] }),
    responseHeaders: compileResponseHeaders(route),
    timeouts: { connectMs, responseMs, idleMs },
    totalMs,
    websocketIdleMs,
    retry: upstream.isLone ? undefined : compileRetryPolicy(route.retries, config.server.workers),
    bodyLimitBytes: route.bodyBytes ?? config.server.limits.bodyBytes,
  }
}
