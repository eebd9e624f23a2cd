import type { ChildProcess } from 'node:child_process'
import cluster from 'node:cluster'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How much of what a worker wrote to its standard error is kept, for the report of its end. */
const STDERR_TAIL_CHARS = 4_096
/** What a process has still to say when its exit is known: its last messages are read within this. */
const LAST_WORDS_MS = 200
/**
 * No signal opens a debugger. What a request leaves behind is collected at every 8 MB of it: V8 begins at 1 MB, and then
 * spends a sixth of a worker's own time on it.
 */
const WORKER_OPTIONS = ['--disable-sigusr1', '--min-semi-space-size=8']

export interface WorkerProgram {
  /** The module that runs in the worker. */
  readonly exec: string
  /** Added to this process' own environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: string | null
  /** Undefined unless there was no process to begin with. */
  readonly error: Error | undefined
}

export interface WorkerProcess {
  readonly child: ChildProcess
  /** When the process is gone and its last messages are read. */
  readonly ended: Promise<ProcessEnd>
  /** The end of what it wrote to its standard error. */
  stderrTail(): string
}

/** The worker of this build: the TypeScript source beside a source, the compiled file beside a compiled one. */
export function defaultWorkerExec(): string {
  return fileURLToPath(new URL(`../worker/main${extname(import.meta.filename)}`, import.meta.url))
}

export function spawnWorkerProcess({ exec, env }: WorkerProgram): WorkerProcess {
  cluster.setupPrimary({
    exec,
    args: [],
    execArgv: selectExecArgv(process.execArgv),
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  // What the service manager gave to the primary is not for workers: they would report in its name.
  const worker = cluster.fork({ ...env, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined, WATCHDOG_PID: undefined })
  // What cannot be started is reported by `ended`; here the same error would end the primary.
  worker.on('error', () => {})
  const { process: child } = worker
  return { child, ended: waitForEnd(child), stderrTail: keepStderrTail(child) }
}

/** Options of this process that make sense in a worker, and a worker's own. */
export function selectExecArgv(own: readonly string[]): string[] {
  const inherited = own.filter((option) => /^--(max-|stack-|enable-|trace-|no-|disable-)/.test(option))
  return [...new Set([...inherited, ...WORKER_OPTIONS])]
}

function waitForEnd(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const end = { code, signal, error: undefined }
      const timer = setTimeout(() => resolve(end), LAST_WORDS_MS)
      child.once('close', () => {
        clearTimeout(timer)
        resolve(end)
      })
    })
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error })
    })
  })
}

function keepStderrTail(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.setEncoding('utf8')
  child.stderr?.on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-STDERR_TAIL_CHARS)
    process.stderr.write(chunk)
  })
  return () => tail.trim()
}
