import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { StatusReport } from '../ipc/control.ts'
import { daemonEnv, readLogPlacement } from '../log/placement.ts'
import type { Problem } from '../problem.ts'
import { EXIT } from './exit-codes.ts'
import type { RunDir } from './run-dir.ts'

/** Longer than a primary gives its workers to become ready. */
const START_TIMEOUT_MS = 120_000
const END_TIMEOUT_MS = 10_000
/** SIGUSR1 reopens logs; Node would open a debugger until there is a listener for it. */
const EXEC_ARGS = ['--disable-sigusr1']
const OUTPUT_MODE = 0o600
const SHOWN_OUTPUT_CHARS = 4_000

/** What a daemon tells the process that launched it, once. */
export type StartOutcome = { readonly type: 'started'; readonly status: StatusReport } | StartFailure

export interface Launcher {
  /** Once: lets go of the launcher. */
  report(outcome: StartOutcome): Promise<void>
}

export interface StartFailure {
  readonly type: 'failed'
  readonly error: string
  readonly problems: readonly Problem[]
  readonly fields: Readonly<Record<string, unknown>>
}

export interface DaemonCommand {
  /** The script of this program, then the arguments of `run`. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly runDir: RunDir
}

/**
 * Starts a process of its own session and resolves when it serves, or when it has failed and is gone.
 * What it prints goes to a file, so that it outlives the terminal and tells of a crash.
 */
export async function launchDaemon({ args, env, runDir }: DaemonCommand): Promise<StartOutcome> {
  const output = openSync(runDir.outputFile, 'w', OUTPUT_MODE)
  const child = spawn(process.execPath, [...process.execArgv, ...EXEC_ARGS, ...args], {
    detached: true,
    env: daemonEnv(env, runDir.logFile),
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const forward = () => child.kill('SIGTERM')
  process.on('SIGINT', forward)
  process.on('SIGTERM', forward)
  try {
    const outcome = await awaitOutcome(child, runDir.outputFile)
    if (outcome.type === 'failed') await awaitEnd(child)
    return outcome
  } finally {
    process.off('SIGINT', forward)
    process.off('SIGTERM', forward)
    if (child.connected) child.disconnect()
    child.unref()
  }
}

/** The process that launched this one as a daemon and waits for its outcome; undefined where there is none. */
export function findLauncher(): Launcher | undefined {
  if (!process.connected || !readLogPlacement(process.env).daemon) return undefined
  // A launcher that goes away before it knows the outcome would leave a daemon that nobody asked for.
  const onLost = () => process.exit(EXIT.failed)
  process.once('disconnect', onLost)
  return {
    report: (outcome) =>
      new Promise((resolve) => {
        process.off('disconnect', onLost)
        process.send?.(outcome, undefined, undefined, () => {
          if (process.connected) process.disconnect?.()
          resolve()
        })
      }),
  }
}

function awaitOutcome(child: ChildProcess, outputFile: string): Promise<StartOutcome> {
  return new Promise((resolve) => {
    const fail = (error: string) => {
      clearTimeout(timer)
      resolve({ type: 'failed', error, problems: [], fields: {} })
    }
    const timer = setTimeout(() => {
      killGroup(child)
      fail(`the daemon was not ready within ${START_TIMEOUT_MS / 1000} s`)
    }, START_TIMEOUT_MS)
    child.once('error', (error) => fail(`cannot start the daemon: ${error.message}`))
    child.once('message', (message) => {
      clearTimeout(timer)
      resolve(message as StartOutcome)
    })
    child.once('exit', (code, signal) => {
      const end = signal === null ? `with exit code ${code}` : `by ${signal}`
      fail(`the daemon ended ${end} before it was ready\n${readOutput(outputFile)}`.trimEnd())
    })
  })
}

async function awaitEnd(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => killGroup(child), END_TIMEOUT_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** With its workers: a detached child leads a process group. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}

function readOutput(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-SHOWN_OUTPUT_CHARS)
  } catch {
    return ''
  }
}
