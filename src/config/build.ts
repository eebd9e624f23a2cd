import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { listHosts, listRedirects } from './checks/server.ts'
import type { CertificatePair, Config, ListenAddress, LoggingConfig, RedirectRule, ServerConfig } from './config.ts'
import { buildErrorPages, createPageReader } from './error-pages-config.ts'
import type { FileContent } from './files.ts'
import { buildRedis } from './limits-build.ts'
import { buildLocations } from './location-config.ts'
import { listPairs } from './named-files.ts'
import type { ConfigDraft, ConfigParts } from './parse.ts'
import { createPemReader, type PemReader } from './pem-reader.ts'
import { buildRoutes } from './route-build.ts'
import type { LoggingSettings } from './schema/logging.ts'
import type { ServerSettings } from './schema/server.ts'
import type { SslSettings } from './schema/ssl.ts'
import { exactPath } from './schema/url-path.ts'
import { buildUpstreams } from './upstream-build.ts'

/** Finishes a draft with what its files hold. Undefined where the report has errors, those found here included. */
export function buildConfig(
  draft: ConfigDraft,
  contents: ReadonlyMap<string, FileContent>,
  nowMs: number,
): Config | undefined {
  const { file, directory, parts, report } = draft
  if (parts === undefined) return undefined
  const { server, ssl, logging, admin } = parts
  const pems = createPemReader(contents, nowMs, report)
  const certificates = buildCertificates(parts, directory, pems)
  const pages = createPageReader(contents, report)
  const sources = { directory, pems, pages }
  const errorPages = buildErrorPages(server.error_pages, ['server'], sources)
  const routes = buildRoutes(parts.routes, sources)
  const upstreams = buildUpstreams(parts.upstreams, sources)
  if (report.hasErrors()) return undefined
  return freezeDeeply({
    file,
    server: buildServer(server, ssl, errorPages),
    redirects: buildRedirects(server),
    locations: buildLocations(server.locations),
    upstreams,
    routes,
    pages: pages.pages,
    tls: ssl.enabled ? { certificates, minVersion: ssl.min_version } : undefined,
    logging: buildLogging(logging, directory),
    admin: { host: admin.host, port: admin.port },
  })
}

function buildServer(server: ServerSettings, ssl: SslSettings, errorPages: ServerConfig['errorPages']): ServerConfig {
  const { backlog, workers, engine, trusted_proxies, name_servers, timeouts, limits } = server
  return {
    listen: listAddresses(server, ssl),
    backlog,
    workers: workers === 'auto' ? availableParallelism() : workers,
    engine,
    trustedProxies: trusted_proxies,
    nameServers: name_servers,
    timeouts: {
      headerMs: timeouts.header,
      bodyIdleMs: timeouts.body_idle,
      writeIdleMs: timeouts.write_idle,
      keepAliveMs: timeouts.keep_alive,
      drainMs: timeouts.drain,
      websocketDrainMs: timeouts.websocket_drain,
    },
    limits: {
      headerBytes: limits.header_bytes,
      headers: limits.headers,
      bodyBytes: limits.body_bytes,
      connections: limits.connections,
    },
    redis: buildRedis(server.redis),
    errorPages,
  }
}

function listAddresses(server: ServerSettings, ssl: SslSettings): ListenAddress[] {
  const hosts = listHosts(server)
  const tlsPort = ssl.enabled ? (ssl.port ?? server.port) : undefined
  const hasPlain = tlsPort === undefined || ssl.port !== undefined
  const redirectToTlsPort = ssl.redirect_http ? tlsPort : undefined
  const plain = hosts.map((host) => ({ host, port: server.port, tls: false, redirectToTlsPort }))
  const secure = hosts.map((host) => ({ host, port: tlsPort ?? 0, tls: true, redirectToTlsPort: undefined }))
  return [...(hasPlain ? plain : []), ...(tlsPort === undefined ? [] : secure)]
}

function buildRedirects(server: ServerSettings): RedirectRule[] {
  return listRedirects(server.redirect_instructions).flatMap(({ from, to }) => {
    const exact = exactPath(from)
    return typeof exact === 'string' ? [{ from: exact, to }] : []
  })
}

function buildCertificates(parts: ConfigParts, directory: string, pems: PemReader): CertificatePair[] {
  return listPairs(parts, directory).flatMap((pair) => {
    const content = pems.readPair(pair)
    return content === undefined ? [] : [{ certFile: pair.cert.file, keyFile: pair.key.file, ...content }]
  })
}

function buildLogging(logging: LoggingSettings, directory: string): LoggingConfig {
  const { log_file: logFile } = logging
  return {
    level: logging.level,
    logFile: logFile === null || logFile === '' ? undefined : resolve(directory, logFile),
    consoleOutput: logging.console_output,
    useColors: logging.use_colors,
    useRotation: logging.use_rotation,
    maxLogBytes: logging.max_log_size,
    backupCount: logging.backup_count,
    structuredLogs: logging.structured_logs,
    access: logging.access,
  }
}

function freezeDeeply<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) freezeDeeply(item)
  return Object.freeze(value)
}
