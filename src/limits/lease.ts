/** What a worker knows and has of one key. */
export interface Lease {
  readonly key: string
  /** May pass without asking. */
  tokens: number
  /** How many it had after the last lease. */
  lent: number
  /** Passed since the last note. */
  used: number
  /** To be given back with the next note. */
  back: number
  /** Under way; only where places are lent. */
  busy: number
  /** Of the busy, those that passed while the primary was silent. */
  unbacked: number
  /** There is too little to keep any of it for later. */
  isTight: boolean
  isAsked: boolean
  /** How many waited when it was asked. */
  asked: number
  /** The next note answers a recall. */
  isRecalled: boolean
  readonly waiters: ((passed: boolean) => void)[]
  /** Nothing can pass before. */
  refusedUntilMs: number
  /** Requests since the last sweep, and between that one and the one before. */
  recent: number
  previous: number
  /** What nobody had taken at the last answer. */
  left: number
  /** When the key will be full again, as far as is known. */
  fullAtMs: number
  /** GCRA of what passes while the primary is silent. */
  aloneTatMs: number
  /** When the first of it passed that is not told yet; 0: nothing. */
  aloneSinceMs: number
}

export function createLease(key: string): Lease {
  return {
    key,
    tokens: 0,
    lent: 0,
    used: 0,
    back: 0,
    busy: 0,
    unbacked: 0,
    isTight: false,
    isAsked: false,
    asked: 0,
    isRecalled: false,
    waiters: [],
    refusedUntilMs: 0,
    recent: 0,
    previous: 0,
    left: 0,
    fullAtMs: 0,
    aloneTatMs: 0,
    aloneSinceMs: 0,
  }
}

/** Ahead of need, so that no request has to wait for the next lease. */
export function isLow({ tokens, lent, isTight }: Lease): boolean {
  return !isTight && tokens * 2 <= lent
}

/** How many may come until the next lease, going by the last. */
export function expectDemand({ recent, previous, waiters }: Lease): number {
  return Math.max(0, recent + previous - waiters.length)
}

/** Nothing is open, and nothing that is known of it matters for long. */
export function isIdle(lease: Lease, nowMs: number): boolean {
  const { recent, previous, tokens, used, back, busy, isAsked, isRecalled, waiters, aloneTatMs } = lease
  if (recent > 0 || previous > 0 || isAsked || isRecalled || waiters.length > 0) return false
  return tokens === 0 && used === 0 && back === 0 && busy === 0 && aloneTatMs <= nowMs
}
