import type { LogSettings } from '../log/settings.ts'
import type { BasicAuthConfig } from './auth-config.ts'
import type { BalancingConfig, StickyConfig } from './balancing-config.ts'
import type { CompressionConfig } from './compression-config.ts'
import type { CorsConfig } from './cors-config.ts'
import type { ErrorPageConfig, PageConfig } from './error-pages-config.ts'
import type { ForwardAuthConfig } from './forward-auth-config.ts'
import type { HealthCheckConfig, PassiveHealthConfig } from './health-config.ts'
import type { RateLimitConfig, RedisConfig } from './limits-config.ts'
import type { LocationConfig } from './location-config.ts'
import type { MirrorConfig } from './mirror-config.ts'
import type { QueueConfig } from './queue-config.ts'
import type { RetriesConfig } from './retries-config.ts'
import type { SplitConfig } from './split-config.ts'

/**
 * The checked configuration: what the rest of the program sees. JSON-safe, frozen, durations in milliseconds, sizes in
 * bytes, paths absolute, defaults filled in. The file's own shape is the schema's (`schema/`).
 */
export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string
  readonly server: ServerConfig
  readonly redirects: readonly RedirectRule[]
  /** PyServe's access rules. */
  readonly locations: readonly LocationConfig[]
  /** The groups that routes may share, by name. */
  readonly upstreams: readonly UpstreamConfig[]
  readonly routes: readonly RouteConfig[]
  /** Pages that errors are answered with, by a name made of what they say. */
  readonly pages: Readonly<Record<string, PageConfig>>
  readonly tls: TlsConfig | undefined
  readonly logging: LoggingConfig
  readonly admin: AdminConfig
}

export interface ServerConfig {
  readonly listen: readonly ListenAddress[]
  readonly backlog: number
  /** At least 1; `auto` is already resolved to the available cores. */
  readonly workers: number
  readonly engine: 'native' | 'http-proxy-3'
  /** CIDRs. */
  readonly trustedProxies: readonly string[]
  /** Addresses, with or without port, that are asked for the names of backends; empty: as the system does. */
  readonly nameServers: readonly string[]
  readonly timeouts: ClientTimeouts
  readonly limits: ClientLimits
  readonly redis: RedisConfig | undefined
  /** For every route that has none of its own for an error, and for what no route takes. */
  readonly errorPages: readonly ErrorPageConfig[]
}

export interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls: boolean
  /** Port of the HTTPS address to which plain requests are redirected (`ssl.redirect_http`); undefined: serve them. */
  readonly redirectToTlsPort: number | undefined
}

export interface ClientTimeouts {
  readonly headerMs: number
  readonly bodyIdleMs: number
  readonly writeIdleMs: number
  readonly keepAliveMs: number
  readonly drainMs: number
  readonly websocketDrainMs: number
}

export interface ClientLimits {
  readonly headerBytes: number
  /** Number of fields. */
  readonly headers: number
  /** 0: no limit. */
  readonly bodyBytes: number
  /** Per worker. */
  readonly connections: number
}

/** PyServe's redirect_instructions: an exact path, 302, the query goes along. */
export interface RedirectRule {
  readonly from: string
  readonly to: string
}

export interface RouteConfig {
  /** Unique in the file. */
  readonly name: string
  /** Starts with a slash; no trailing slash unless it is the root. */
  readonly path: string
  /** Lower case; exact or `*.` wildcard; empty: any host. */
  readonly domains: readonly string[]
  /** Upper case; empty: any. */
  readonly methods: readonly string[]
  readonly stripPath: boolean
  readonly encodedSlashes: 'keep' | 'refuse'
  readonly preserveHost: boolean
  readonly headers: { readonly request: HeaderRules; readonly response: HeaderRules }
  readonly timeouts: RouteTimeouts
  readonly retries: RetriesConfig
  /** Longest request body; 0: no limit; undefined: that of the server. */
  readonly bodyBytes: number | undefined
  readonly rateLimits: readonly RateLimitConfig[]
  /** Most requests under way, all workers together; 0: no limit. */
  readonly concurrency: number
  readonly mirror: MirrorConfig | undefined
  readonly basicAuth: BasicAuthConfig | undefined
  readonly forwardAuth: ForwardAuthConfig | undefined
  /** CIDRs of clients; `deny` wins, and an empty `allow` is everyone. */
  readonly access: { readonly allow: readonly string[]; readonly deny: readonly string[] }
  readonly cors: CorsConfig | undefined
  readonly compression: CompressionConfig | undefined
  readonly errorPages: readonly ErrorPageConfig[]
  readonly action: RouteAction
}

export type RouteAction =
  | {
      readonly kind: 'proxy'
      /** A name where the route shares one of `Config.upstreams`. */
      readonly upstream: UpstreamConfig | string
      /** Several of them in place of one, which is the first then. */
      readonly split?: SplitConfig
    }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string; readonly contentType: string }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string }

/** A group of backends with one policy. */
export interface UpstreamConfig {
  /** That of the route where it is the route's own. */
  readonly name: string
  /** At least one. */
  readonly backends: readonly MemberConfig[]
  readonly balancing: BalancingConfig
  readonly sticky: StickyConfig | undefined
  /** 0: a backend that comes back has its full share at once. */
  readonly slowStartMs: number
  /** At each backend, all workers together; 0: no limit. */
  readonly maxConnections: number
  readonly queue: QueueConfig
  /** Undefined: nobody asks. */
  readonly healthCheck: HealthCheckConfig | undefined
  /** Undefined: whatever becomes of requests, no backend is left out. */
  readonly passiveHealth: PassiveHealthConfig | undefined
}

export interface MemberConfig extends BackendConfig {
  /** Its share of the requests; 0: it takes no new ones. */
  readonly weight: number
  /** Asked only where no other is available. */
  readonly backup: boolean
  /**
   * What `host` is. `addresses`: a name whose addresses may be backends of their own. `service`: the name of a service, whose
   * SRV records tell hosts and ports. Absent: whoever connects looks it up.
   */
  readonly discovery?: 'addresses' | 'service'
}

export interface HeaderRules {
  /** Name and value; replaces every field of that name. */
  readonly set: readonly (readonly [string, string])[]
  /** Lower case. */
  readonly remove: readonly string[]
}

/** Milliseconds; 0 means no limit. */
export interface RouteTimeouts {
  readonly connectMs: number
  readonly responseMs: number
  readonly idleMs: number
  readonly websocketIdleMs: number
  readonly totalMs: number
}

export interface BackendConfig {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string
  /** 0 for a service. */
  readonly port: number
  readonly tls: BackendTls | undefined
  /** The one address of `host` that is meant; absent: any. Never in a file: discovery tells it. */
  readonly address?: string
}

export interface BackendTls {
  readonly verify: boolean
  /** Name for SNI and the certificate check; undefined: the backend's host. */
  readonly serverName: string | undefined
  /** PEM; undefined: the system's authorities. */
  readonly caPem: string | undefined
  readonly certPem: string | undefined
  readonly keyPem: string | undefined
}

export interface TlsConfig {
  /** The first is the default; others are chosen by SNI from the names in the certificate. */
  readonly certificates: readonly CertificatePair[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface CertificatePair {
  readonly certFile: string
  readonly keyFile: string
  readonly certPem: string
  readonly keyPem: string
  /** Host names of the certificate, lower case, `*.` for wildcards. */
  readonly names: readonly string[]
}

export interface LoggingConfig extends LogSettings {
  readonly useRotation: boolean
  readonly maxLogBytes: number
  readonly backupCount: number
}

/** Where metrics, health and status are told. */
export interface AdminConfig {
  readonly host: string
  /** 0: nowhere. */
  readonly port: number
}
