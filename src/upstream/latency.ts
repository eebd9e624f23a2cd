import type { BackendState } from './backend.ts'

/** In which time an old measurement loses most of its weight. */
const MEMORY_MS = 10_000
/** What an attempt counts as that brought no answer: who refuses fast must not look fast. */
const FAILED_MS = 1_000

/** Takes a time to first byte into the backend's average; `nowMs` by the clock of `performance.now()`. */
export function noteFirstByte(state: BackendState, firstByteMs: number, nowMs: number): void {
  const old = state.firstByteMs === 0 ? 0 : remainderOf(state, nowMs)
  state.firstByteMs = state.firstByteMs * old + Math.max(firstByteMs, Number.MIN_VALUE) * (1 - old)
  state.measuredAtMs = nowMs
}

/** Takes an attempt without an answer into the average. */
export function noteNoAnswer(state: BackendState, elapsedMs: number, nowMs: number): void {
  // At once, and not only as one among the answers before it.
  state.firstByteMs = Math.max(state.firstByteMs, elapsedMs, FAILED_MS)
  state.measuredAtMs = nowMs
}

/** The average, less the longer nothing was measured: a backend that was slow is asked again some time. */
export function agedFirstByte(state: BackendState, nowMs: number): number {
  return state.firstByteMs * remainderOf(state, nowMs)
}

function remainderOf({ measuredAtMs }: BackendState, nowMs: number): number {
  return Math.exp(Math.min(0, measuredAtMs - nowMs) / MEMORY_MS)
}
