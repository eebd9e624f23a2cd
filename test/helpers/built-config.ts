import type { BackendConfig, Config, RouteConfig, UpstreamConfig } from '../../src/config/config.ts'

const NO_RULES = { set: [], remove: [] }

const ROUTE: RouteConfig = {
  name: '/api',
  path: '/api',
  domains: [],
  methods: [],
  stripPath: true,
  encodedSlashes: 'keep',
  preserveHost: false,
  headers: { request: NO_RULES, response: NO_RULES },
  timeouts: { connectMs: 2_000, responseMs: 5_000, idleMs: 5_000, websocketIdleMs: 0, totalMs: 0 },
  retries: {
    attempts: 1,
    on: { connect: true, reset: true, timeout: false, statuses: [] },
    methods: [],
    budget: 0.2,
    bufferBytes: 0,
    backoffMs: 0,
  },
  bodyBytes: undefined,
  rateLimits: [],
  concurrency: 0,
  mirror: undefined,
  basicAuth: undefined,
  forwardAuth: undefined,
  access: { allow: [], deny: [] },
  cors: undefined,
  compression: undefined,
  errorPages: [],
  action: { kind: 'respond', status: 200, body: 'ok', contentType: 'text/plain' },
}

/** A checked configuration, for what takes one without a file: `/api` answers by itself unless a route says otherwise. */
export function builtConfig(routes: readonly Partial<RouteConfig>[], limits: { bodyBytes?: number } = {}): Config {
  return {
    file: '/config.yaml',
    server: {
      listen: [],
      backlog: 511,
      workers: 1,
      engine: 'http-proxy-3',
      trustedProxies: [],
      nameServers: [],
      timeouts: { headerMs: 1, bodyIdleMs: 1, writeIdleMs: 1, keepAliveMs: 1, drainMs: 1, websocketDrainMs: 1 },
      limits: { headerBytes: 1, headers: 1, bodyBytes: 0, connections: 1, ...limits },
      redis: undefined,
      errorPages: [],
    },
    redirects: [{ from: '/home', to: '/index.html' }],
    locations: [],
    upstreams: [],
    routes: routes.map((route) => ({ ...ROUTE, ...route })),
    pages: {},
    tls: undefined,
    logging: {
      level: 'info',
      logFile: undefined,
      consoleOutput: false,
      useColors: false,
      useRotation: false,
      maxLogBytes: 1,
      backupCount: 0,
      structuredLogs: false,
      access: true,
    },
    admin: { host: '127.0.0.1', port: 0 },
  }
}

/** The action of a route whose upstream has these backends, all of one weight. */
export function proxyTo(...backends: readonly BackendConfig[]): RouteConfig['action'] {
  const members = backends.map((backend) => ({ ...backend, weight: 1, backup: false }))
  return { kind: 'proxy', upstream: upstreamOf({ backends: members }) }
}

/** A group of backends as a route with nothing but backends has it. */
export function upstreamOf(settings: Partial<UpstreamConfig> & Pick<UpstreamConfig, 'backends'>): UpstreamConfig {
  return {
    name: 'api',
    balancing: { kind: 'round_robin' },
    sticky: undefined,
    slowStartMs: 0,
    maxConnections: 0,
    queue: { size: 100, timeoutMs: 5_000 },
    healthCheck: undefined,
    passiveHealth: undefined,
    ...settings,
  }
}
