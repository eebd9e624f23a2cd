import type { LimitRule } from './limit-rule.ts'

/** How a key stands. */
export interface Account {
  /** The theoretical arrival time of GCRA: when it will be full again. Unused by a limit of concurrency. */
  tatMs: number
  /** What is lent out, and neither told as used nor given back. */
  held: number
  /** Time that passed lately while it was full, and was lost to it. */
  lapsedMs: number
  lapsedAtMs: number
}

/**
 * The arithmetic of one rule. What is lent counts as if it were still there: an account never refills past the burst
 * less what is lent, so that all that can pass anywhere never exceeds the rule.
 */
export interface Quota {
  /** What is taken is lent until it is given back, as a place is; otherwise it is spent. */
  readonly keeps: boolean
  /** Whole requests that may pass now. */
  available(account: Account, nowMs: number): number
  /** For requests that pass at once. `count` is at most what is available. */
  take(account: Account, count: number, nowMs: number): void
  /** For requests that may pass later. `count` is at most what is available. */
  lend(account: Account, count: number, nowMs: number): void
  /**
   * Of what was lent. More than that is a debt where it was used: one that was begun `ageMs` ago and is told only now
   * is paid from the time that was lost meanwhile. Where more comes back it is a refund.
   */
  settle(account: Account, used: number, back: number, nowMs: number, ageMs: number): void
  /** Until one may pass. */
  waitMs(account: Account, nowMs: number): number
  /** Until it stands as a new one does. */
  fullMs(account: Account, nowMs: number): number
}

/** How soon it is worth to ask again for a place: nobody knows when one becomes free. */
const PLACE_WAIT_MS = 5
/** Sums of intervals that are no whole milliseconds must not hide a request that is due. */
const ROUNDING_MS = 1e-5
/** For so long a debt that is told late can still be paid from lost time. */
const LAPSE_MS = 1_000

/** Full, with nothing lent. */
export function createAccount(): Account {
  return { tatMs: 0, held: 0, lapsedMs: 0, lapsedAtMs: 0 }
}

export function createQuota(rule: LimitRule): Quota {
  return rule.kind === 'rate' ? createRate(rule.perMs / rule.requests, rule.burst) : createPlaces(rule.capacity)
}

function createRate(intervalMs: number, burst: number): Quota {
  const dueMs = ({ tatMs, held }: Account, nowMs: number) => Math.max(tatMs, nowMs + held * intervalMs)
  const add = (account: Account, count: number, nowMs: number) => {
    const fromMs = dueMs(account, nowMs)
    if (fromMs > account.tatMs) {
      account.lapsedMs = (nowMs - account.lapsedAtMs < LAPSE_MS ? account.lapsedMs : 0) + fromMs - account.tatMs
      account.lapsedAtMs = nowMs
    }
    account.tatMs = fromMs + count * intervalMs
  }
  return {
    keeps: false,
    available(account, nowMs) {
      const roomMs = burst * intervalMs - (dueMs(account, nowMs) - nowMs)
      return Math.max(0, Math.floor((roomMs + ROUNDING_MS) / intervalMs))
    },
    take: add,
    lend(account, count, nowMs) {
      add(account, count, nowMs)
      account.held += count
    },
    settle(account, used, back, nowMs, ageMs) {
      const owed = Math.max(0, used - account.held)
      add(account, owed - back, nowMs)
      const paidMs = Math.min(owed * intervalMs, account.lapsedMs, ageMs)
      account.lapsedMs -= paidMs
      account.tatMs -= paidMs
      account.held = Math.max(0, account.held - used - back)
    },
    waitMs(account, nowMs) {
      return Math.max(0, dueMs(account, nowMs) - nowMs - (burst - 1) * intervalMs)
    },
    fullMs(account, nowMs) {
      return Math.max(0, dueMs(account, nowMs) - nowMs)
    },
  }
}

function createPlaces(capacity: number): Quota {
  const lend = (account: Account, count: number) => {
    account.held += count
  }
  return {
    keeps: true,
    available: ({ held }) => Math.max(0, capacity - held),
    take: lend,
    lend,
    settle(account, _used, back) {
      account.held = Math.max(0, account.held - back)
    },
    waitMs: ({ held }) => (held < capacity ? 0 : PLACE_WAIT_MS),
    fullMs: ({ held }) => (held === 0 ? 0 : PLACE_WAIT_MS),
  }
}
