import type { PassiveHealthConfig } from '../config/health-config.ts'
import type { Trouble } from './trouble.ts'

/** An ejection that follows others closely lasts up to so many times the first one. */
const MOST_TIMES = 10

/** Counts a failure. True where there are as many within the window as it takes; they are forgotten then. */
export function countFailure({ failedAtMs }: Trouble, config: PassiveHealthConfig, nowMs: number): boolean {
  failedAtMs.push(nowMs)
  const fromMs = nowMs - config.windowMs
  while (failedAtMs.length > config.failures || (failedAtMs[0] ?? nowMs) <= fromMs) failedAtMs.shift()
  if (failedAtMs.length < config.failures) return false
  failedAtMs.length = 0
  return true
}

/**
 * Notes an ejection and returns when it is over. It lasts the longer the more went before it; each `ejectMs` without one
 * makes up for one. `overAtMs`: when the last one was over.
 */
export function prolongEjection(
  trouble: Trouble,
  { ejectMs }: PassiveHealthConfig,
  overAtMs: number,
  nowMs: number,
): number {
  const madeUpFor = Math.floor(Math.max(0, nowMs - overAtMs) / ejectMs)
  trouble.ejections = Math.min(MOST_TIMES, Math.max(0, trouble.ejections - madeUpFor) + 1)
  return nowMs + ejectMs * trouble.ejections
}

/** Whether one more of `total` backends may be ejected beside those that are. */
export function mayEject(ejected: number, total: number, { maxEjected }: PassiveHealthConfig): boolean {
  // 0.7 * 10 is a little more than 7, and 0.29 * 100 a little less than 29.
  return ejected + 1 <= total * maxEjected + 1e-9
}
