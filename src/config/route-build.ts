import { buildBasicAuth } from './auth-config.ts'
import { routePath } from './backend-places.ts'
import { buildCompression } from './compression-config.ts'
import type { HeaderRules, MemberConfig, RouteAction, RouteConfig } from './config.ts'
import { buildCors } from './cors-config.ts'
import { buildErrorPages } from './error-pages-config.ts'
import { buildForwardAuth } from './forward-auth-config.ts'
import type { KeyPath } from './key-path.ts'
import { buildRateLimits } from './limits-build.ts'
import { buildMirror } from './mirror-config.ts'
import { buildRetries } from './retries-config.ts'
import { nameRoutes } from './route-names.ts'
import type { HeaderRuleSettings, RouteSettings } from './schema/route.ts'
import { buildSplit } from './split-build.ts'
import { type BuildSources, buildBackend, buildMembers, buildUpstream } from './upstream-build.ts'

/** The routes without mistakes; those of their files are reported. */
export function buildRoutes(settings: readonly (RouteSettings | undefined)[], sources: BuildSources): RouteConfig[] {
  const routes = settings.flatMap((route, index) => (route === undefined ? [] : [{ route, index }]))
  const names = nameRoutes(routes.map(({ route }) => route))
  return routes.map(({ route, index }, i) => {
    const name = names[i] ?? ''
    return buildRoute(route, name, routePath(index), sources)
  })
}

/** `path`: that of its map. */
function buildRoute(route: RouteSettings, name: string, path: KeyPath, sources: BuildSources): RouteConfig {
  const { headers, timeouts } = route
  return {
    name,
    path: route.path,
    domains: [...new Set(route.domains)],
    methods: [...new Set(route.methods)],
    stripPath: route.strip_path,
    encodedSlashes: route.encoded_slashes,
    preserveHost: route.preserve_host,
    headers: { request: buildHeaderRules(headers.request), response: buildHeaderRules(headers.response) },
    timeouts: {
      connectMs: timeouts.connect,
      responseMs: timeouts.response,
      idleMs: timeouts.idle,
      websocketIdleMs: timeouts.websocket_idle,
      totalMs: timeouts.total,
    },
    retries: buildRetries(route.retries),
    bodyBytes: route.limits.body_bytes,
    rateLimits: buildRateLimits(route),
    concurrency: route.concurrency,
    basicAuth: buildBasicAuth(route.auth),
    forwardAuth: buildForwardAuth(route.auth, path, sources),
    access: { allow: route.allow, deny: route.deny },
    mirror: route.mirror && buildMirror(route.mirror),
    cors: route.cors && buildCors(route.cors, route.methods),
    compression: buildCompression(route.compression),
    errorPages: buildErrorPages(route.error_pages, path, sources),
    action: buildAction(route, name, path, sources),
  }
}

function buildHeaderRules({ set, remove }: HeaderRuleSettings): HeaderRules {
  return { set: Object.entries(set), remove: [...new Set(remove.map((name) => name.toLowerCase()))] }
}

function buildAction(route: RouteSettings, name: string, path: KeyPath, sources: BuildSources): RouteAction {
  const { respond, redirect, upstream, split } = route
  if (redirect !== undefined) return { kind: 'redirect', status: redirect.status, to: redirect.to }
  if (respond !== undefined) {
    return { kind: 'respond', status: respond.status, body: respond.body, contentType: respond.content_type }
  }
  if (upstream !== undefined) return { kind: 'proxy', upstream }
  if (split !== undefined) return { kind: 'proxy', upstream: split.to[0]?.upstream ?? '', split: buildSplit(split) }
  return { kind: 'proxy', upstream: buildUpstream(name, buildBackends(route, path, sources), route) }
}

function buildBackends(route: RouteSettings, path: KeyPath, sources: BuildSources): MemberConfig[] {
  if (route.backends !== undefined) return buildMembers(route.backends, path, sources)
  return [{ ...buildBackend(route, path, sources), weight: 1, backup: false }]
}
