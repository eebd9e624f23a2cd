const DAEMON_LOG = 'PYSERVE_TS_DAEMON_LOG'

export interface LogPlacement {
  /** The process has no console. */
  readonly daemon: boolean
  /** Where a daemon logs while its configuration names no file. */
  readonly fallbackFile: string | undefined
}

/** How a process learns that it belongs to a daemon: workers inherit the environment of their primary. */
export function readLogPlacement(env: NodeJS.ProcessEnv): LogPlacement {
  const fallbackFile = env[DAEMON_LOG]
  return { daemon: fallbackFile !== undefined, fallbackFile }
}

/** The environment in which `readLogPlacement` finds a daemon that falls back to this file. */
export function daemonEnv(env: NodeJS.ProcessEnv, fallbackFile: string): NodeJS.ProcessEnv {
  return { ...env, [DAEMON_LOG]: fallbackFile }
}
