import type { BackendTls, HeaderRules, MemberConfig, RouteAction, RouteConfig } from './config.ts'
import { listBackendFiles } from './named-files.ts'
import type { PemReader } from './pem-reader.ts'
import { buildRetries } from './retries-config.ts'
import { nameRoutes } from './route-names.ts'
import type { HeaderRuleSettings, RouteSettings } from './schema/route.ts'

const DEFAULT_HOST = 'localhost'
const DEFAULT_PORT = 80
const DEFAULT_TLS_PORT = 443

/** The routes without mistakes; those of their files are reported. */
export function buildRoutes(
  settings: readonly (RouteSettings | undefined)[],
  directory: string,
  pems: PemReader,
): RouteConfig[] {
  const routes = settings.flatMap((route, index) => (route === undefined ? [] : [{ route, index }]))
  const names = nameRoutes(routes.map(({ route }) => route))
  return routes.map(({ route, index }, i) => {
    const name = names[i] ?? ''
    return buildRoute(route, name, buildAction(route, name, index, directory, pems))
  })
}

function buildRoute(route: RouteSettings, name: string, action: RouteAction): RouteConfig {
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
    action,
  }
}

function buildHeaderRules({ set, remove }: HeaderRuleSettings): HeaderRules {
  return { set: Object.entries(set), remove: [...new Set(remove.map((name) => name.toLowerCase()))] }
}

function buildAction(
  route: RouteSettings,
  name: string,
  index: number,
  directory: string,
  pems: PemReader,
): RouteAction {
  const { respond, redirect } = route
  if (redirect !== undefined) return { kind: 'redirect', status: redirect.status, to: redirect.to }
  if (respond !== undefined) {
    return { kind: 'respond', status: respond.status, body: respond.body, contentType: respond.content_type }
  }
  return { kind: 'proxy', upstream: { name, backends: [buildBackend(route, index, directory, pems)] } }
}

function buildBackend(route: RouteSettings, index: number, directory: string, pems: PemReader): MemberConfig {
  const tls = buildBackendTls(route.ssl, index, directory, pems)
  const port = route.port ?? (tls === undefined ? DEFAULT_PORT : DEFAULT_TLS_PORT)
  return { host: route.host ?? DEFAULT_HOST, port, tls, weight: 1, backup: false }
}

function buildBackendTls(
  ssl: RouteSettings['ssl'],
  index: number,
  directory: string,
  pems: PemReader,
): BackendTls | undefined {
  if (ssl === false) return undefined
  if (ssl === true) {
    return { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined }
  }
  const { ca, pair } = listBackendFiles(ssl, index, directory)
  const content = pair === undefined ? undefined : pems.readPair(pair)
  return {
    verify: ssl.verify,
    serverName: ssl.server_name,
    caPem: ca === undefined ? undefined : pems.readAuthorities(ca),
    certPem: content?.certPem,
    keyPem: content?.keyPem,
  }
}
