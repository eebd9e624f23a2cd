import type { PassiveHealthConfig } from '../config/health-config.ts'
import type { Trouble } from './trouble.ts'

/** How long a circuit is open at first; it doubles each time that the probe fails, up to `ejectMs`. */
export const FIRST_BACKOFF_MS = 1_000

/**
 * Counts a connection that failed. Returns for how long the circuit is open from now on; undefined: nothing has changed.
 * `isProbe`: it was the one attempt that an open circuit let through.
 */
export function countConnectionFailure(
  trouble: Trouble,
  config: PassiveHealthConfig,
  isProbe: boolean,
): number | undefined {
  trouble.inARow++
  // Attempts from before it was opened may still be failing.
  const opens = trouble.openings === 0 ? trouble.inARow >= config.failures : isProbe
  if (!opens) return undefined
  trouble.openings++
  return Math.min(FIRST_BACKOFF_MS * 2 ** (trouble.openings - 1), Math.max(FIRST_BACKOFF_MS, config.ejectMs))
}

/** The backend answered. True where that closes its circuit. */
export function countAnswer(trouble: Trouble, isProbe: boolean): boolean {
  // What was asked before it was opened says nothing about new connections.
  if (trouble.openings > 0 && !isProbe) return false
  const closes = trouble.openings > 0
  trouble.inARow = 0
  trouble.openings = 0
  return closes
}
