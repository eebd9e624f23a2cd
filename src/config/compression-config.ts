import { type CompressionSettings, usualCompression } from './schema/compression.ts'

/** What of a route's responses is compressed, and how. */
export interface CompressionConfig {
  /** The first is preferred; each stands once. */
  readonly algorithms: readonly ('br' | 'gzip' | 'zstd')[]
  /** Lower case: a media type, `text/*` for all of a kind, `+json` for all with that suffix; the first may be `*` too. */
  readonly types: readonly string[]
  /** Of a response that tells its length. */
  readonly minBytes: number
  /** 1 to 9; undefined: what suits each algorithm. */
  readonly level: number | undefined
}

/** Undefined where it is off. */
export function buildCompression(settings: CompressionSettings): CompressionConfig | undefined {
  if (settings === false) return undefined
  const { algorithms, types, min_bytes, level } = settings === true ? usualCompression : settings
  return { algorithms: [...new Set(algorithms)], types: [...new Set(types)], minBytes: min_bytes, level }
}
