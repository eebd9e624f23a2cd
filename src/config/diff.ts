import type { CertificatePair, Config, ListenAddress, RouteConfig } from './config.ts'
import { fileSchema } from './schema/file.ts'
import type { Change } from './schema/traits.ts'
import { listKeys } from './schema/walk.ts'

export interface ReloadPlan {
  /** The strongest measure that any change needs: `roll` does what `scale` does, and `scale` what `swap` does. */
  readonly kind: Change
  /** By name, sorted. */
  readonly routes: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  }
  /** Keys of the file outside the routes, in its order: `server.timeouts.drain`. */
  readonly changedKeys: readonly string[]
  /** Why it is more than a swap; for people. */
  readonly reasons: readonly string[]
}

type KeyValues = Readonly<Record<string, (config: Config) => unknown>>

const STRENGTH: readonly Change[] = ['none', 'swap', 'scale', 'roll']

/** What the checked configuration has of each key of the file. */
export const KEY_VALUES: KeyValues = {
  'server.host': ({ server }) => [...new Set(server.listen.map(({ host }) => host))],
  'server.port': ({ server }) => server.listen[0]?.port,
  'server.backlog': ({ server }) => server.backlog,
  'server.workers': ({ server }) => server.workers,
  'server.engine': ({ server }) => server.engine,
  'server.name_servers': ({ server }) => server.nameServers,
  'server.trusted_proxies': ({ server }) => server.trustedProxies,
  'server.timeouts.header': ({ server }) => server.timeouts.headerMs,
  'server.timeouts.body_idle': ({ server }) => server.timeouts.bodyIdleMs,
  'server.timeouts.write_idle': ({ server }) => server.timeouts.writeIdleMs,
  'server.timeouts.keep_alive': ({ server }) => server.timeouts.keepAliveMs,
  'server.timeouts.drain': ({ server }) => server.timeouts.drainMs,
  'server.timeouts.websocket_drain': ({ server }) => server.timeouts.websocketDrainMs,
  'server.limits.header_bytes': ({ server }) => server.limits.headerBytes,
  'server.limits.headers': ({ server }) => server.limits.headers,
  'server.limits.body_bytes': ({ server }) => server.limits.bodyBytes,
  'server.limits.connections': ({ server }) => server.limits.connections,
  'server.redis': ({ server }) => server.redis !== undefined,
  'server.redis.url': ({ server }) => server.redis?.url,
  'server.redis.password': ({ server }) => server.redis?.password,
  'server.redis.prefix': ({ server }) => server.redis?.prefix,
  'server.redis.timeout': ({ server }) => server.redis?.timeoutMs,
  'server.error_pages': ({ server }) => server.errorPages,
  'server.redirect_instructions': ({ redirects }) => redirects,
  'server.locations': ({ locations }) => locations,
  'server.upstreams': ({ upstreams }) => upstreams,
  'ssl.enabled': ({ tls }) => tls !== undefined,
  'ssl.port': ({ server }) => findSecondPort(server.listen),
  'ssl.redirect_http': ({ server }) => server.listen.some(({ redirectToTlsPort }) => redirectToTlsPort !== undefined),
  'ssl.min_version': ({ tls }) => tls?.minVersion ?? 'TLSv1.2',
  'ssl.certificates': ({ tls }) => tls?.certificates.map(({ certPem, keyPem }) => [certPem, keyPem]),
  'logging.level': ({ logging }) => logging.level,
  'logging.log_file': ({ logging }) => logging.logFile,
  'logging.console_output': ({ logging }) => logging.consoleOutput,
  'logging.use_colors': ({ logging }) => logging.useColors,
  'logging.use_rotation': ({ logging }) => logging.useRotation,
  'logging.max_log_size': ({ logging }) => logging.maxLogBytes,
  'logging.backup_count': ({ logging }) => logging.backupCount,
  'logging.structured_logs': ({ logging }) => logging.structuredLogs,
  'logging.access': ({ logging }) => logging.access,
  'admin.host': ({ admin }) => admin.host,
  'admin.port': ({ admin }) => admin.port,
}

/** What it takes to get from one configuration to the other. Where the file lies, and the order of routes, are nothing. */
export function planReload(from: Config, to: Config): ReloadPlan {
  const changes = new Map(listKeys(fileSchema).map(({ name, traits }) => [name, traits.change]))
  const changed = Object.entries(KEY_VALUES).filter(([, read]) => !areEqual(read(from), read(to)))
  const routes = compareRoutes(from.routes, to.routes)
  const hasRouteChange = routes.added.length + routes.changed.length + routes.removed.length > 0
  const needs = changed.map(([key]) => changes.get(key) ?? 'roll')
  return {
    kind: findStrongest(hasRouteChange ? [...needs, 'swap'] : needs),
    routes,
    changedKeys: changed.map(([key]) => key),
    reasons: changed
      .filter((_, i) => needs[i] === 'roll' || needs[i] === 'scale')
      .map(([key, read]) => describeChange(key, read, from, to)),
  }
}

function compareRoutes(from: readonly RouteConfig[], to: readonly RouteConfig[]): ReloadPlan['routes'] {
  const before = new Map(from.map((route) => [route.name, route]))
  const after = new Map(to.map((route) => [route.name, route]))
  const isChanged = (name: string) => before.has(name) && !areEqual(before.get(name), after.get(name))
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).sort(),
    changed: [...after.keys()].filter(isChanged).sort(),
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
  }
}

/** Both are plain data made by the same code, so that equal values have equal texts. */
function areEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function findStrongest(needs: readonly Change[]): Change {
  return needs.reduce(
    (strongest, need) => (STRENGTH.indexOf(need) > STRENGTH.indexOf(strongest) ? need : strongest),
    'none',
  )
}

function describeChange(key: string, read: (config: Config) => unknown, from: Config, to: Config): string {
  if (key === 'ssl.certificates') return describeCertificates(from, to)
  const [before, after] = [read(from), read(to)].map((value) => (value === undefined ? 'none' : showPlainly(value)))
  return `${key} changed from ${before} to ${after}`
}

function describeCertificates(from: Config, to: Config): string {
  const known = new Set((from.tls?.certificates ?? []).map(fingerprintOf))
  const fresh = (to.tls?.certificates ?? []).filter((pair) => !known.has(fingerprintOf(pair)))
  const names = fresh.flatMap((pair) => (pair.names.length > 0 ? pair.names : [pair.certFile]))
  return names.length === 0 ? 'ssl.certificates changed' : `new certificate or key for ${names.join(', ')}`
}

function fingerprintOf({ certPem, keyPem }: CertificatePair): string {
  return `${certPem}\0${keyPem}`
}

function findSecondPort(listen: readonly ListenAddress[]): number | undefined {
  const hasPlain = listen.some(({ tls }) => !tls)
  return hasPlain ? listen.find(({ tls }) => tls)?.port : undefined
}

function showPlainly(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value)
}
