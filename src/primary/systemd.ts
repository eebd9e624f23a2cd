import { spawn } from 'node:child_process'
import type { Logger } from 'pino'

/** What systemd is told (sd_notify(3)); without NOTIFY_SOCKET every call does nothing. */
export interface ServiceManager {
  ready(status: string): void
  reloading(): void
  stopping(): void
  close(): void
}

const NOTIFY_WITHIN_MS = 5_000

const SILENT: ServiceManager = { ready() {}, reloading() {}, stopping() {}, close() {} }

/**
 * Speaks through the `systemd-notify` program, because Node has no Unix datagrams. Messages leave in order; one that
 * does not get through is logged, and never fatal. While it lives the watchdog is fed at half of its time.
 */
export function connectServiceManager(env: NodeJS.ProcessEnv, logger: Logger): ServiceManager {
  if (env['NOTIFY_SOCKET'] === undefined) return SILENT
  let last = Promise.resolve()

  function send(...assignments: readonly string[]): void {
    last = last
      .then(() => notify(assignments, env))
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'systemd was not told')
      })
  }

  const watchdogMs = readWatchdogMs(env)
  const feeder = watchdogMs > 0 ? setInterval(() => send('WATCHDOG=1'), watchdogMs / 2).unref() : undefined
  return {
    ready: (status) => send('READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`),
    // CLOCK_MONOTONIC, which is what hrtime reads.
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => send('STOPPING=1', 'STATUS=draining'),
    close: () => clearInterval(feeder),
  }
}

/** 0: no watchdog, or one that expects another process. */
function readWatchdogMs(env: NodeJS.ProcessEnv): number {
  const pid = env['WATCHDOG_PID']
  if (pid !== undefined && pid !== String(process.pid)) return 0
  const usec = Number(env['WATCHDOG_USEC'])
  return usec > 0 ? usec / 1_000 : 0
}

function notify(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', assignments, { env, stdio: 'ignore', timeout: NOTIFY_WITHIN_MS })
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`systemd-notify ended with ${signal ?? code}`)),
    )
  })
}
