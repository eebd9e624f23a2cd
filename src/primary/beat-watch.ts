/** How late a timer may be before it tells that this process itself stood still. */
const OWN_LATENESS_MS = 500

export interface BeatWatch {
  start(): void
  beat(): void
  stop(): void
}

/** Calls `silent` when there was no beat for `deadlineMs` since the start or the last one. */
export function createBeatWatch(deadlineMs: number, silent: () => void): BeatWatch {
  let timer: NodeJS.Timeout | undefined
  let running = false

  function arm(): void {
    clearTimeout(timer)
    if (!running) return
    const dueMs = performance.now() + deadlineMs
    timer = setTimeout(() => {
      // After a standstill of the primary the timer fires before the beats that waited meanwhile are read.
      if (performance.now() - dueMs > OWN_LATENESS_MS) arm()
      else silent()
    }, deadlineMs)
  }

  return {
    start() {
      running = true
      arm()
    },
    beat: arm,
    stop() {
      running = false
      clearTimeout(timer)
    },
  }
}
