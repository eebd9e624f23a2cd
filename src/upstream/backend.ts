import { createHash } from 'node:crypto'
import { formatAddress } from '../address.ts'
import type { BackendConfig } from '../config/config.ts'
import type { Trouble } from '../health/trouble.ts'
import type { BackendSeries } from '../metrics/series.ts'
import { WorkerMetrics } from '../metrics/worker-metrics.ts'
import { type BackendAuthority, describeBackend, nameBackend } from './backend-authority.ts'

/** One host and port with its TLS settings, and the history that goes with it. */
export interface Backend {
  /** Scheme, host, port and TLS settings: equal keys mean the same backend, so its state outlives a reload. */
  readonly key: string
  /** `host:port`, for logs and metrics. */
  readonly name: string
  readonly config: BackendConfig
  readonly authority: BackendAuthority
  readonly state: BackendState
  readonly series: BackendSeries
}

/** Outlives the snapshot it was created for: a reload that keeps a backend keeps its history. */
export interface BackendState {
  inFlight: number
  tunnels: number
  /** To be changed by the registry alone, and the two below with it: upstreams keep lists of who is available. */
  health: 'up' | 'down' | 'drained'
  /** By the clock of `performance.now()`; 0 when it was never ejected. */
  ejectedUntilMs: number
  /** Nothing goes there until then, by the same clock, and one attempt after that; 0: its circuit is closed. */
  openUntilMs: number
  /** Undefined as long as no request failed. */
  trouble: Trouble | undefined
  /** When its health became `up` or its circuit was closed, by the same clock, which may be before it began; 0: it was from the beginning. */
  upSinceMs: number
  /** Moving average; 0 until it is measured, which only upstreams do that need it. */
  firstByteMs: number
  /** When that was last brought up to date. */
  measuredAtMs: number
  /** What round robin owes it, by the name of the upstream. */
  readonly turns: Map<string, Turn>
}

/** Where a backend stands in the round of one upstream. */
export interface Turn {
  owed: number
}

export function createBackend(
  config: BackendConfig,
  metrics: WorkerMetrics = new WorkerMetrics(),
  state: BackendState = createBackendState(),
  key: string = deriveBackendKey(config),
): Backend {
  const name = nameBackend(config)
  return { key, name, config, authority: describeBackend(config), state, series: metrics.backend(name) }
}

/** `upSinceMs`: as in the state. */
export function createBackendState(upSinceMs = 0): BackendState {
  return {
    inFlight: 0,
    tunnels: 0,
    health: 'up',
    ejectedUntilMs: 0,
    openUntilMs: 0,
    trouble: undefined,
    upSinceMs,
    firstByteMs: 0,
    measuredAtMs: 0,
    turns: new Map(),
  }
}

/**
 * `http://host:port`, with `@address` where one of the host's addresses is meant, or `https://host:port#…` with a digest of
 * the TLS settings: the same in every process.
 */
export function deriveBackendKey({ host, port, tls, address }: BackendConfig): string {
  const name = formatAddress(host, port).toLowerCase()
  const authority = address === undefined ? name : `${name}@${address}`
  if (tls === undefined) return `http://${authority}`
  const settings = [tls.verify, tls.serverName ?? null, tls.caPem ?? null, tls.certPem ?? null, tls.keyPem ?? null]
  const digest = createHash('sha256').update(JSON.stringify(settings)).digest('hex')
  return `https://${authority}#${digest.slice(0, 16)}`
}
