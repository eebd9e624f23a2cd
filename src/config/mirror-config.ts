import type { MirrorSettings } from './schema/mirror.ts'

/** Copies of requests, whose responses nobody sees. */
export interface MirrorConfig {
  /** One of `Config.upstreams`. */
  readonly upstream: string
  /** A share of 1. */
  readonly share: number
  readonly bufferBytes: number
}

export function buildMirror({ upstream, share, buffer }: MirrorSettings): MirrorConfig {
  return { upstream, share, bufferBytes: buffer }
}
