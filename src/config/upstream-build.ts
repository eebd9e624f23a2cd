import { isIP } from 'node:net'
import { upstreamPath } from './backend-places.ts'
import type { BalancingConfig } from './balancing-config.ts'
import type { BackendConfig, BackendTls, MemberConfig, UpstreamConfig } from './config.ts'
import type { PageReader } from './error-pages-config.ts'
import { buildHealthCheck, buildPassiveHealth } from './health-config.ts'
import type { KeyPath } from './key-path.ts'
import { listBackendFiles } from './named-files.ts'
import type { ConfigParts } from './parse.ts'
import type { PemReader } from './pem-reader.ts'
import type { BackendTlsSettings, MemberSettings, UpstreamSettings } from './schema/backend.ts'

const DEFAULT_HOST = 'localhost'
const DEFAULT_PORT = 80
const DEFAULT_TLS_PORT = 443
const QUEUE_SIZE = 100
const QUEUE_TIMEOUT_MS = 5_000

export interface BackendSettings {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly ssl: boolean | BackendTlsSettings
}

/** Where relative files are looked for, and what reads them. */
export interface BuildSources {
  readonly directory: string
  readonly pems: PemReader
  readonly pages: PageReader
}

/** The groups without mistakes. */
export function buildUpstreams(upstreams: ConfigParts['upstreams'], sources: BuildSources): UpstreamConfig[] {
  return [...(upstreams ?? [])].flatMap(([name, settings]) => {
    if (settings === undefined) return []
    const backends = buildMembers(settings.backends, upstreamPath(name), sources)
    return [buildUpstream(name, backends, settings)]
  })
}

export function buildUpstream(
  name: string,
  backends: readonly MemberConfig[],
  settings: Omit<UpstreamSettings, 'backends'>,
): UpstreamConfig {
  const { load_balancing, sticky, slow_start, max_connections, queue, health_check, passive_health } = settings
  // One backend with nothing beside it is asked whatever became of the last request.
  const isWatched = health_check !== undefined || backends.length > 1 || backends[0]?.discovery !== undefined
  return {
    name,
    backends,
    balancing: buildBalancing(load_balancing ?? 'round_robin'),
    sticky: sticky === undefined ? undefined : { cookie: sticky.cookie, secret: sticky.secret },
    slowStartMs: slow_start ?? 0,
    maxConnections: max_connections ?? 0,
    queue: { size: queue?.size ?? QUEUE_SIZE, timeoutMs: queue?.timeout ?? QUEUE_TIMEOUT_MS },
    healthCheck: health_check && buildHealthCheck(health_check),
    passiveHealth: buildPassiveHealth(passive_health, isWatched),
  }
}

/** `path`: that of the map with the key `backends`. */
export function buildMembers(members: readonly MemberSettings[], path: KeyPath, sources: BuildSources): MemberConfig[] {
  return members.map((member, i) => {
    const { srv, weight = 1, backup } = member
    const backend = buildBackend(member, [...path, 'backends', i], sources)
    if (srv !== undefined) return { ...backend, host: srv, port: 0, weight, backup, discovery: 'service' }
    return { ...backend, weight, backup, ...(isIP(backend.host) === 0 ? { discovery: 'addresses' } : {}) }
  })
}

export function buildBackend(
  { host, port, ssl }: BackendSettings,
  path: KeyPath,
  sources: BuildSources,
): BackendConfig {
  const tls = buildBackendTls(ssl, path, sources)
  return { host: host ?? DEFAULT_HOST, port: port ?? (tls === undefined ? DEFAULT_PORT : DEFAULT_TLS_PORT), tls }
}

function buildBackendTls(
  ssl: boolean | BackendTlsSettings,
  path: KeyPath,
  { directory, pems }: BuildSources,
): BackendTls | undefined {
  if (ssl === false) return undefined
  if (ssl === true) {
    return { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined }
  }
  const { ca, pair } = listBackendFiles(ssl, path, directory)
  const content = pair === undefined ? undefined : pems.readPair(pair)
  return {
    verify: ssl.verify,
    serverName: ssl.server_name,
    caPem: ca === undefined ? undefined : pems.readAuthorities(ca),
    certPem: content?.certPem,
    keyPem: content?.keyPem,
  }
}

/** What the schema lets pass. */
function buildBalancing(text: string): BalancingConfig {
  const [kind, header] = text.split(':')
  if (header !== undefined) return { kind: 'header_hash', header }
  return { kind: kind as Exclude<BalancingConfig['kind'], 'header_hash'> }
}
