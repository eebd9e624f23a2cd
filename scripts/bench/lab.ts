import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createSelfSigned } from '../self-signed.ts'
import { readTree } from './process-tree.ts'
import type { Launch } from './site.ts'

const SERVER_DIRS = ['/usr/local/sbin', '/usr/sbin']
const STOP_WITHIN_MS = 10_000
const POLL_MS = 20
const CERTIFICATE_DAYS = 30

export interface RunOptions {
  /** Sends SIGINT then: how wrk is told to stop before the full second. */
  readonly interruptAfterMs?: number
  readonly env?: NodeJS.ProcessEnv
  /** Called for each line as soon as it is printed. */
  line?(text: string): void
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A temporary directory and the processes that were started for the bench. At its end neither is left. */
export class Lab implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'pyserve-bench-'))
  readonly certFile = join(this.dir, 'cert.pem')
  readonly keyFile = join(this.dir, 'key.pem')
  readonly pemFile = join(this.dir, 'both.pem')
  /** Aborts what is under way. */
  readonly signal: AbortSignal
  readonly #children = new Set<ChildProcess>()
  readonly #endAtOnce = () => {
    for (const child of this.#children) killTree(child)
    this.#removeDir()
  }
  #places = 0

  constructor(signal: AbortSignal) {
    this.signal = signal
    const { certPem, keyPem } = createSelfSigned(CERTIFICATE_DAYS, Date.now())
    writeFileSync(this.certFile, certPem)
    writeFileSync(this.keyFile, keyPem, { mode: 0o600 })
    writeFileSync(this.pemFile, certPem + keyPem, { mode: 0o600 })
    // The last resort, for an end that nobody could wait for.
    process.on('exit', this.#endAtOnce)
  }

  /** A fresh directory below that of the lab. */
  makeDir(name: string): string {
    const dir = join(this.dir, `${this.#places++}-${name}`)
    mkdirSync(dir)
    return dir
  }

  /** Starts a program that runs until it is stopped. Its errors go to `stderr` in the directory. */
  start(dir: string, { command, args, env, files, output }: Launch): ChildProcess {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content)
    const stderr = openSync(join(dir, 'stderr'), 'a')
    const stdout = output === undefined ? undefined : openSync(join(dir, output), 'a')
    const child = spawn(command, args, {
      cwd: dir,
      env: { ...cleanEnv(), ...env },
      stdio: ['ignore', stdout ?? 'ignore', stderr],
    })
    closeSync(stderr)
    if (stdout !== undefined) closeSync(stdout)
    this.#keep(child)
    return child
  }

  /** Starts a program to talk with over stdin and stdout. */
  converse({ command, args }: Launch): ChildProcess {
    const child = spawn(command, args, { cwd: this.dir, env: cleanEnv(), stdio: ['pipe', 'pipe', 'inherit'] })
    // It may have ended before the last word to it.
    child.stdin?.on('error', () => undefined)
    this.#keep(child)
    return child
  }

  /** Runs a program to its end. Rejects where it cannot start, or with the reason of an abort. */
  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    this.signal.throwIfAborted()
    const { interruptAfterMs, env = cleanEnv(), line } = options
    const child = spawn(command, args, { cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#keep(child)
    const abort = () => child.kill('SIGKILL')
    this.signal.addEventListener('abort', abort)
    const timer = interruptAfterMs && setTimeout(() => child.kill('SIGINT'), interruptAfterMs)
    const stdout = collectLines(child.stdout, line)
    const stderr = collectLines(child.stderr, undefined)
    try {
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', resolve)
      })
      this.signal.throwIfAborted()
      return { code, stdout: stdout.text, stderr: stderr.text }
    } finally {
      if (timer) clearTimeout(timer)
      this.signal.removeEventListener('abort', abort)
    }
  }

  /** Ends a program and what descends from it: in order where it does so in time, else by force. */
  async stop(child: ChildProcess): Promise<void> {
    if (child.pid === undefined) return
    const pids = readTree(child.pid).map(({ pid }) => pid)
    child.kill('SIGTERM')
    if (!(await areGone(pids, STOP_WITHIN_MS))) {
      for (const pid of pids) kill(pid)
      await areGone(pids, STOP_WITHIN_MS)
    }
    this.#children.delete(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop(child)))
    process.off('exit', this.#endAtOnce)
    this.#removeDir()
  }

  #removeDir(): void {
    // A process that has just been killed may still add a file.
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }

  #keep(child: ChildProcess): void {
    this.#children.add(child)
    child.on('exit', () => this.#children.delete(child))
    child.on('error', () => this.#children.delete(child))
  }
}

/** Ports that nobody listens on now. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.on('error', reject)
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** The last of what a program printed as errors. */
export function readErrors(dir: string): string {
  return readFileSync(join(dir, 'stderr'), 'utf8').trim().slice(-2_000)
}

/** Without what would change a contender from outside. */
function cleanEnv(): NodeJS.ProcessEnv {
  const foreign = ([name]: [string, unknown]) => !/^(PYSERVE_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|PORT$)/.test(name)
  return { ...Object.fromEntries(Object.entries(process.env).filter(foreign)), PATH: searchPath() }
}

/** PATH, and where servers are that a user's PATH does not name. */
export function searchPath(): string {
  return [process.env['PATH'] ?? '', ...SERVER_DIRS].join(delimiter)
}

function collectLines(stream: NodeJS.ReadableStream, line: RunOptions['line']): { text: string } {
  const collected = { text: '' }
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    collected.text += chunk
    if (line === undefined) return
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) line(text)
  })
  return collected
}

async function areGone(pids: readonly number[], withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs
  while (pids.some((pid) => readTree(pid).length > 0)) {
    if (performance.now() > deadlineMs) return false
    await delay(POLL_MS)
  }
  return true
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined) return
  for (const { pid } of readTree(child.pid)) kill(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}
