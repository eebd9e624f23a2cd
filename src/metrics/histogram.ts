/** Four buckets an octave: the geometric middle of a bucket is at most 9.1 % away from everything in it. */
const BUCKETS_PER_OCTAVE = 4
/** 2^-5 ms is 31 µs, 2^22 ms is 70 minutes: what is shorter or longer is not told apart any more. */
const FIRST_EXPONENT = -5
const LAST_EXPONENT = 22
const FIRST_EDGE_MS = 2 ** FIRST_EXPONENT
const LAST_BUCKET = (LAST_EXPONENT - FIRST_EXPONENT) * BUCKETS_PER_OCTAVE + 1

/** Buckets of every histogram of durations. */
export const BUCKET_COUNT = LAST_BUCKET + 1

/** An upper edge that a scrape tells: whole octaves, from 125 µs to 65.5 s. */
export interface ScrapeEdge {
  /** The last bucket below it. */
  readonly bucket: number
  /** Seconds, as the text format has them. */
  readonly le: string
}

export const SCRAPE_EDGES: readonly ScrapeEdge[] = listScrapeEdges(-3, 16)

/** The bucket of a duration in milliseconds: it holds what is more than the edge before it and at most its own edge. */
export function bucketOf(ms: number): number {
  if (!(ms > FIRST_EDGE_MS)) return 0
  return Math.min(Math.ceil((Math.log2(ms) - FIRST_EXPONENT) * BUCKETS_PER_OCTAVE), LAST_BUCKET)
}

/**
 * The duration in milliseconds that a share (0 to 1) of all is not longer than, within 9.1 % between 31 µs and 70 minutes;
 * undefined where nothing was counted.
 */
export function percentileMs(buckets: ArrayLike<number>, share: number): number | undefined {
  let total = 0
  for (let i = 0; i < BUCKET_COUNT; i++) total += buckets[i] ?? 0
  if (total === 0) return undefined
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (let i = 0; i < LAST_BUCKET; i++) {
    seen += buckets[i] ?? 0
    if (seen >= rank) return middleMs(i)
  }
  return edgeMs(LAST_BUCKET - 1)
}

function middleMs(bucket: number): number {
  return bucket === 0 ? FIRST_EDGE_MS : edgeMs(bucket - 0.5)
}

function edgeMs(bucket: number): number {
  return 2 ** (FIRST_EXPONENT + bucket / BUCKETS_PER_OCTAVE)
}

function listScrapeEdges(from: number, to: number): ScrapeEdge[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    bucket: (from + i - FIRST_EXPONENT) * BUCKETS_PER_OCTAVE,
    le: String(2 ** (from + i) / 1000),
  }))
}
