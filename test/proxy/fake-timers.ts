import type { TestContext } from 'node:test'

interface FakeTimer {
  dueMs: number
  readonly delayMs: number
  run(): void
  refresh(): void
}

export interface FakeTimers {
  /** Lets time pass and runs what falls due, in order. */
  tick(ms: number): void
}

/** Puts `setTimeout` under the test's control; unlike the mock of node:test it knows `refresh`. Node's own timers go on. */
export function fakeTimers(t: TestContext): FakeTimers {
  const timers = new Set<FakeTimer>()
  let nowMs = 0
  const schedule = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): FakeTimer => {
    const timer: FakeTimer = {
      delayMs,
      dueMs: nowMs + delayMs,
      run: () => callback(...args),
      refresh: () => {
        timer.dueMs = nowMs + delayMs
      },
    }
    timers.add(timer)
    return timer
  }
  t.mock.method(globalThis, 'setTimeout', schedule as unknown as typeof setTimeout)
  t.mock.method(globalThis, 'clearTimeout', (timer: unknown) => void timers.delete(timer as FakeTimer))
  return {
    tick: (ms) => {
      const endMs = nowMs + ms
      for (let next = findNext(timers, endMs); next !== undefined; next = findNext(timers, endMs)) {
        nowMs = next.dueMs
        timers.delete(next)
        next.run()
      }
      nowMs = endMs
    },
  }
}

function findNext(timers: Iterable<FakeTimer>, endMs: number): FakeTimer | undefined {
  const due = [...timers].filter(({ dueMs }) => dueMs <= endMs)
  return due.sort((a, b) => a.dueMs - b.dueMs)[0]
}
