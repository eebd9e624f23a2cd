import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { askPrimary } from '../../src/cli/control-client.ts'
import { describeRunDir } from '../../src/cli/run-dir.ts'
import type { ListenReport, ReloadReport, StatusReport } from '../../src/ipc/control.ts'
import { findProcesses } from './processes.ts'
import { waitFor } from './wait.ts'

const MARKER = 'TEST_DAEMON_DIRECTORY'
const STOP_WITHIN_MS = 20_000
const COMMAND_WITHIN_MS = 60_000

const root = join(import.meta.dirname, '..', '..')
const bin = join(root, 'dist', 'cli.js')
let isBuilt = false

/** YAML, or what YAML is made of. */
export type ConfigText = string | object

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A directory with a configuration, and nothing running yet. */
export interface Site {
  readonly dir: string
  readonly configFile: string
  readonly runDir: string
  /** Runs a command of the program on this configuration, to its end. */
  cli(command: string, ...args: string[]): Promise<CliResult>
  /** The same command as a child process that is still running. */
  spawnCli(command: string, ...args: string[]): ChildProcess
  /** Replaces the configuration by renaming a new file over it. */
  writeConfig(config: ConfigText): void
  /** Replaces a file beside the configuration in the same way. */
  writeFile(name: string, content: string | Buffer): void
  /** All that was logged to files in the run directory. */
  readLog(): string
}

export interface Daemon extends Site {
  readonly pid: number
  /** The first port that was bound. */
  readonly port: number
  readonly listen: readonly ListenReport[]
  /** The foreground process of `mode: 'run'`. */
  readonly child: ChildProcess | undefined
  status(): Promise<StatusReport>
  /** What the command `reload` asks of the daemon, without a process for it. */
  reload(): Promise<ReloadReport>
  /** By slot; without those that are on their way out. */
  workerPids(): Promise<number[]>
  /** Resolves when the daemon and all that it started are gone; asserts that no socket or pid file is left. */
  ended(timeoutMs?: number): Promise<void>
}

export interface SiteOptions {
  readonly config: ConfigText
  /** Beside the configuration. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

export interface DaemonOptions extends SiteOptions {
  /** `start` by default. */
  readonly mode?: 'start' | 'run'
  readonly args?: readonly string[]
}

/** What the test leaves running here is stopped at its end, and has to be gone then without a trace. */
export function createSite(t: TestContext, { config, files = {}, env = {} }: SiteOptions): Site {
  buildOnce()
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-system-'))
  const configFile = join(dir, 'config.yaml')
  const runDir = join(dir, 'run')
  const place = ['-c', configFile, '--run-dir', runDir]
  const spawnCli = (command: string, ...args: string[]) =>
    spawn(process.execPath, [bin, command, ...place, ...args], {
      cwd: dir,
      env: { ...cleanEnv(), ...env, [MARKER]: dir },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const site: Site = {
    dir,
    configFile,
    runDir,
    spawnCli,
    cli: (command, ...args) => collect(spawnCli(command, ...args)),
    writeConfig: (text) => replaceFile(configFile, toYaml(text)),
    writeFile: (name, content) => replaceFile(join(dir, name), content),
    readLog: () => readLogs(runDir),
  }
  for (const [name, content] of Object.entries(files)) site.writeFile(name, content)
  site.writeConfig(config)
  t.after(() => cleanUp(t, site))
  return site
}

export async function startDaemon(t: TestContext, options: DaemonOptions): Promise<Daemon> {
  const site = createSite(t, options)
  const { mode = 'start', args = [] } = options
  const child = mode === 'run' ? site.spawnCli('run', ...args) : undefined
  if (child) await waitForReady(site, child)
  else assertDone(await site.cli('start', ...args))
  const { pid, listen } = await readStatus(site)
  const [first] = listen
  assert.ok(first, 'the daemon listens nowhere')
  return {
    ...site,
    pid,
    port: first.port,
    listen,
    child,
    status: () => readStatus(site),
    reload: () =>
      askPrimary<ReloadReport>({ runDir: describeRunDir(site.runDir), timeoutMs: 0 }, { command: 'reload' }),
    workerPids: async () => {
      const { workers } = await readStatus(site)
      return workers.filter(({ state }) => state !== 'draining').map((worker) => worker.pid)
    },
    ended: async (timeoutMs = STOP_WITHIN_MS) => {
      await waitFor(() => findProcesses(site.dir).length === 0, { what: 'the end of the daemon', timeoutMs })
      assert.deepEqual(listRemains(site), [])
    },
  }
}

export function assertDone({ code, stdout, stderr }: CliResult): void {
  assert.equal(code, 0, `exit code ${code}\n${stdout}${stderr}`)
}

/** The output of a child process when it has ended. */
export function collect(child: ChildProcess): Promise<CliResult> {
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_WITHIN_MS)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Not `close`: a daemon that kept its starter's output open would hold it back for ever.
    child.on('exit', (code) => {
      clearTimeout(timer)
      setImmediate(() => resolve({ code, stdout, stderr }))
    })
  })
}

/** A test file may be run by itself, without the script that builds first. */
function buildOnce(): void {
  if (isBuilt) return
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${stdout}${stderr}`)
  isBuilt = true
}

function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  return env
}

async function waitForReady(site: Site, child: ChildProcess): Promise<void> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const isReady = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return 'ended'
    return (await readStatus(site)).state === 'running' && 'ready'
  }
  const state = await waitFor(isReady, { what: 'the daemon to be ready' })
  assert.equal(state, 'ready', `the daemon ended\n${output}`)
}

async function readStatus({ runDir }: Site): Promise<StatusReport> {
  return askPrimary<StatusReport>({ runDir: describeRunDir(runDir), timeoutMs: 5_000 }, { command: 'status' })
}

async function cleanUp(t: TestContext, site: Site): Promise<void> {
  try {
    if (findProcesses(site.dir).length > 0) {
      await site.cli('stop')
      await waitFor(() => findProcesses(site.dir).length === 0, { what: 'stop', timeoutMs: STOP_WITHIN_MS }).catch(
        () => undefined,
      )
    }
    assert.deepEqual([...findProcesses(site.dir), ...listRemains(site)], [], 'something was left behind')
  } finally {
    for (const { pid } of findProcesses(site.dir)) process.kill(pid, 'SIGKILL')
    if (!t.passed) t.diagnostic(`log of ${site.dir}:\n${site.readLog().slice(-8_000)}`)
    rmSync(site.dir, { recursive: true, force: true })
  }
}

function listRemains({ runDir }: Site): string[] {
  const { pidFile, socket } = describeRunDir(runDir)
  return [pidFile, socket].filter((path) => existsSync(path))
}

function readLogs(runDir: string): string {
  if (!existsSync(runDir)) return ''
  const names = readdirSync(runDir).filter((name) => name.endsWith('.log'))
  return names.map((name) => readFileSync(join(runDir, name), 'utf8')).join('')
}

function replaceFile(path: string, content: string | Buffer): void {
  const fresh = `${path}.new`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(fresh, content)
  renameSync(fresh, path)
}

function toYaml(config: ConfigText): string {
  return typeof config === 'string' ? config : stringify(config)
}
