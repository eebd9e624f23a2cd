/**
 * How a worker came to its end. `left`: drained, nothing was lost. `cut`: drained, and had to end connections at its
 * deadline. `dismissed`: no longer wanted before it was ready. `killed`: asked to leave and did not. `died`: nobody asked.
 */
export type WorkerManner = 'left' | 'cut' | 'dismissed' | 'killed' | 'died'

export interface WorkerEnd {
  readonly manner: WorkerManner
  /** Connections and tunnels that it cut at the end of its drain. */
  readonly cut: number
  /** `exited with code 1`, `was ended by SIGKILL`. */
  readonly how: string
  /** Why the primary killed it, or what it said itself before it ended. */
  readonly reason: string | undefined
  readonly stderr: string
}

/** Why a worker that ended before it was ready did not start. */
export function describeFailedStart({ reason, how, stderr }: WorkerEnd): string {
  const text = reason ?? `it ${how} before it was ready`
  return stderr === '' ? text : `${text}:\n${stderr}`
}

export interface Leaving {
  /** Who asked it to; undefined: nobody. */
  readonly leaves: 'asked' | 'dismissed' | undefined
  readonly isKilled: boolean
  readonly code: number | null
  readonly cut: number
}

export function describeManner({ leaves, isKilled, code, cut }: Leaving): WorkerManner {
  if (leaves === 'dismissed') return 'dismissed'
  if (leaves === undefined) return 'died'
  if (isKilled) return 'killed'
  if (code !== 0) return 'died'
  return cut > 0 ? 'cut' : 'left'
}
