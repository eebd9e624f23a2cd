import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { askPrimary } from '../../src/cli/control-client.ts'
import { findInstance } from '../../src/cli/instance.ts'
import { readPidFile } from '../../src/cli/pid-file.ts'
import { isAlive } from '../../src/cli/process-identity.ts'
import { describeRunDir } from '../../src/cli/run-dir.ts'
import type { StatusReport } from '../../src/ipc/control.ts'

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
const COMMAND_TIMEOUT_MS = 60_000
const STATE_TIMEOUT_MS = 20_000

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

export interface Daemon {
  readonly dir: string
  readonly runDir: string
  write(config: string): void
  /** Starts a command line of this instance; `env` is added to the environment. */
  spawn(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
  /** Runs one to its end. */
  run(...args: string[]): Promise<CommandResult>
  status(): Promise<StatusReport>
  /** Of the first address it listens on, without a slash at the end. */
  url(): Promise<string>
  pid(): number | undefined
}

/** A configuration of its own in a directory of its own; whatever runs with it ends with the test. */
export function createDaemon(t: TestContext, config: string): Daemon {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-daemon-'))
  const runDir = join(dir, 'run')
  const write = (content: string) => writeFileSync(join(dir, 'config.yaml'), content)
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawn(process.execPath, [cli, ...args, '--run-dir', runDir], {
      cwd: dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
    })
  const run = (...args: string[]) => collect(start(args))
  const status = () =>
    askPrimary<StatusReport>({ runDir: describeRunDir(runDir), timeoutMs: STATE_TIMEOUT_MS }, { command: 'status' })
  write(config)
  t.after(async () => {
    if (findInstance(describeRunDir(runDir))) await run('stop', '--force')
    rmSync(dir, { recursive: true })
  })
  return {
    dir,
    runDir,
    write,
    spawn: start,
    run,
    status,
    url: async () => (await status()).listen[0]?.url.replace(/\/$/, '') ?? '',
    pid: () => readPidFile(describeRunDir(runDir).pidFile)?.pid,
  }
}

export async function collect(child: ChildProcess): Promise<CommandResult> {
  assert.ok(child.stdout && child.stderr)
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { stdout, stderr, status: status as number | null }
}

/** Two workers on a free port that answer `/ok` by themselves; `routes` are further lines of `reverse_proxy`. */
export function simpleConfig(routes = ''): string {
  return `server:
  port: 0
  workers: 2
  reverse_proxy:
    - { path: /ok, respond: { status: 200, body: fine } }
${routes}
`
}

export function isGone(pid: number): boolean {
  return !isAlive({ pid, startTime: '' })
}
