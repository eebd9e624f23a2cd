import { createHash } from 'node:crypto'
import { formatAddress } from '../address.ts'
import type { BackendConfig } from '../config/config.ts'
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
}

export function createBackend(
  config: BackendConfig,
  metrics: WorkerMetrics = new WorkerMetrics(),
  key: string = deriveBackendKey(config),
): Backend {
  const name = nameBackend(config)
  const state = { inFlight: 0, tunnels: 0 }
  return { key, name, config, authority: describeBackend(config), state, series: metrics.backend(name) }
}

/** `http://host:port`, or `https://host:port#…` with a digest of the TLS settings: the same in every process. */
export function deriveBackendKey({ host, port, tls }: BackendConfig): string {
  const authority = formatAddress(host, port).toLowerCase()
  if (tls === undefined) return `http://${authority}`
  const settings = [tls.verify, tls.serverName ?? null, tls.caPem ?? null, tls.certPem ?? null, tls.keyPem ?? null]
  const digest = createHash('sha256').update(JSON.stringify(settings)).digest('hex')
  return `https://${authority}#${digest.slice(0, 16)}`
}
