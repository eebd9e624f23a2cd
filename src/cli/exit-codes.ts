export const EXIT = {
  done: 0,
  /** Could not start, a bad configuration, a reload that was not taken. */
  failed: 1,
  usage: 2,
  notRunning: 3,
  /** Ended before its open requests were. */
  forced: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
