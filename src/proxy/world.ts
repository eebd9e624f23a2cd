import { formatAddress } from '../address.ts'
import type { Config, RouteAction, RouteConfig } from '../config/config.ts'
import { findHeader } from '../header-list.ts'
import { compileRedirect, compileRedirects, type Redirect, type Redirects } from '../routing/redirects.ts'
import { compileRouteTable, type RouteTable } from '../routing/route-table.ts'
import type { Backend } from '../upstream/backend.ts'
import type { BackendRegistry } from '../upstream/backend-registry.ts'
import type { AttemptTimeouts } from '../upstream/engine.ts'
import { compileTrust, type Trust } from './client-identity.ts'
import { type BackendAuthority, describeBackend } from './headers/backend-authority.ts'
import { compileHeaderRules } from './headers/header-rules.ts'
import { compileRequestHeaders, type RequestHeaderPlan } from './headers/request-headers.ts'
import { compileResponseHeaders, type ResponseHeaderPlan } from './headers/response-headers.ts'

/** Everything that exchanges are decided by, compiled from one configuration; each keeps the one it began with. */
export interface World {
  readonly table: RouteTable<CompiledRoute>
  readonly redirects: Redirects
  readonly trust: Trust | undefined
  /** 0: no limit. */
  readonly bodyLimitBytes: number
  readonly backends: readonly Backend[]
}

export interface CompiledRoute {
  readonly name: string
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
  readonly backend: Backend
  /** `host:port`, for the log. */
  readonly backendName: string
  readonly authority: BackendAuthority
  readonly requestHeaders: RequestHeaderPlan
  readonly responseHeaders: ResponseHeaderPlan
  readonly timeouts: AttemptTimeouts
  /** Milliseconds; 0: no limit. */
  readonly totalMs: number
  readonly websocketIdleMs: number
}

/** Throws where the configuration cannot be compiled; nothing of the running world has changed then. */
export function compileWorld(config: Config, registry: BackendRegistry): World {
  const backends: Backend[] = []
  const entries = config.routes.map((rule) => {
    const action = compileAction(rule, registry)
    if (action.kind === 'proxy') backends.push(action.backend)
    return { rule, value: { name: rule.name, action } }
  })
  return {
    table: compileRouteTable(entries),
    redirects: compileRedirects(config.redirects),
    trust: compileTrust(config.server.trustedProxies),
    bodyLimitBytes: config.server.limits.bodyBytes,
    backends,
  }
}

export function compileAction(route: RouteConfig, registry: BackendRegistry): CompiledAction {
  const { action } = route
  const { set } = compileHeaderRules(route.headers.response)
  switch (action.kind) {
    case 'proxy':
      return compileProxy(route, action, registry)
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
  registry: BackendRegistry,
): ProxyAction {
  const [backend] = registry.acquire([action.backend])
  if (backend === undefined) throw new Error(`route ${route.name} has no backend`)
  const authority = describeBackend(action.backend)
  const { connectMs, responseMs, idleMs, totalMs, websocketIdleMs } = route.timeouts
  return {
    kind: 'proxy',
    backend,
    backendName: formatAddress(authority.host, authority.port),
    authority,
    requestHeaders: compileRequestHeaders(route),
    responseHeaders: compileResponseHeaders(route),
    timeouts: { connectMs, responseMs, idleMs },
    totalMs,
    websocketIdleMs,
  }
}
