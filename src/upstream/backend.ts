import type { BackendConfig } from '../config/config.ts'

/** One host and port with its TLS settings, and the history that goes with it. */
export interface Backend {
  /** Scheme, host, port and TLS settings: equal keys mean the same backend, so its state outlives a reload. */
  readonly key: string
  readonly config: BackendConfig
  readonly state: BackendState
}

/** Outlives the snapshot it was created for: a reload that keeps a backend keeps its history. */
export interface BackendState {
  inFlight: number
  tunnels: number
}
