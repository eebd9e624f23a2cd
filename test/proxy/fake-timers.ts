import type { TestContext } from 'node:test'

interface FakeTimer {
  dueMs: number
  /** Undefined for a timer that runs once. */
  readonly everyMs: number | undefined
  run(): void
  refresh(): void
}

export interface FakeTimers {
  nowMs(): number
  /** Timers that are set and not cleared. */
  count(): number
  /** Lets time pass and runs what falls due, in order. */
  tick(ms: number): void
}

/**
 * Puts `setTimeout` and `setInterval` under the test's control; unlike the mock of node:test it knows `refresh`.
 * Node's own timers go on.
 */
export function fakeTimers(t: TestContext): FakeTimers {
  const timers = new Set<FakeTimer>()
  let nowMs = 0
  const schedule =
    (repeats: boolean) =>
    (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): FakeTimer => {
      const timer: FakeTimer = {
        dueMs: nowMs + delayMs,
        everyMs: repeats ? Math.max(1, delayMs) : undefined,
        run: () => callback(...args),
        refresh: () => {
          timer.dueMs = nowMs + delayMs
        },
      }
      timers.add(timer)
      return timer
    }
  const clear = (timer: unknown) => void timers.delete(timer as FakeTimer)
  t.mock.method(globalThis, 'setTimeout', schedule(false) as unknown as typeof setTimeout)
  t.mock.method(globalThis, 'setInterval', schedule(true) as unknown as typeof setInterval)
  t.mock.method(globalThis, 'clearTimeout', clear)
  t.mock.method(globalThis, 'clearInterval', clear)
  return {
    nowMs: () => nowMs,
    count: () => timers.size,
    tick: (ms) => {
      const endMs = nowMs + ms
      for (let next = findNext(timers, endMs); next !== undefined; next = findNext(timers, endMs)) {
        nowMs = next.dueMs
        if (next.everyMs === undefined) timers.delete(next)
        else next.dueMs += next.everyMs
        next.run()
      }
      nowMs = endMs
    },
  }
}

function findNext(timers: Iterable<FakeTimer>, endMs: number): FakeTimer | undefined {
  let first: FakeTimer | undefined
  for (const timer of timers) {
    if (timer.dueMs <= endMs && timer.dueMs < (first?.dueMs ?? Number.POSITIVE_INFINITY)) first = timer
  }
  return first
}
