import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ControlRequest, ControlResponse, ReloadReport } from '../../src/ipc/control.ts'
import { createLog } from '../../src/log/log.ts'
import type { Primary } from '../../src/primary/primary.ts'
import { startPrimary } from '../../src/primary/start.ts'

export interface Site {
  readonly dir: string
  readonly configFile: string
  /** Each name is a route; the scripted worker does what it says. */
  write(routes: readonly string[], server?: string): void
  start(): Promise<Primary>
}

export const FAST = { startMs: 3_000, ackMs: 500, beatMs: 1_000, marginMs: 200 }
const POLICY = { firstWaitMs: 5, maxWaitMs: 20, healthyMs: 60_000, loopAfter: 3 }

/** A primary in this process, with scripted workers, in a directory of its own. */
export function createSite(t: TestContext): Site {
  const dir = mkdtempSync(join(tmpdir(), 'primary-'))
  const configFile = join(dir, 'config.yaml')
  const log = createLog({
    logging: {
      level: 'info',
      logFile: join(dir, 'log'),
      consoleOutput: false,
      useColors: false,
      structuredLogs: false,
      access: false,
    },
    role: 'primary',
    daemon: true,
  })
  let primary: Primary | undefined
  t.after(async () => {
    if (primary) {
      primary.stop(true)
      await primary.done
      assert.equal(existsSync(join(dir, 'control.sock')), false)
    }
    log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    dir,
    configFile,
    write(routes, server = 'workers: 2') {
      const rows = routes.map((name, i) => `    - { name: ${JSON.stringify(name)}, path: /${i}, respond: { body: x } }`)
      const list = rows.length === 0 ? '' : `  reverse_proxy:\n${rows.join('\n')}\n`
      writeFileSync(configFile, `server:\n  port: 0\n  ${server}\n${list}logging: { console_output: false }\n`)
    },
    async start() {
      primary = await startPrimary({
        configFile,
        env: {},
        overrides: {},
        runDir: dir,
        log,
        programVersion: '0.0.0',
        workerExec: fileURLToPath(new URL('./fixtures/scripted-worker.ts', import.meta.url)),
        deadlines: FAST,
        policy: POLICY,
      })
      return primary
    },
  }
}

export async function ask<T>(site: Site, request: ControlRequest): Promise<T> {
  const line = await sendLine(site, JSON.stringify(request))
  const response = JSON.parse(line) as ControlResponse<T>
  if (!response.ok) throw new Error(response.error)
  return response.result
}

export function reload(site: Site): Promise<ReloadReport> {
  return ask<ReloadReport>(site, { command: 'reload' })
}

/** Sends one line to the control socket and resolves to what comes back until it closes. */
export async function sendLine(site: Site, line: string): Promise<string> {
  const socket = connect(join(site.dir, 'control.sock')).setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => {
    answer += chunk
  })
  socket.write(`${line}\n`)
  await once(socket, 'close')
  return answer
}

/** What the worker that takes a new connection says: its pid and the version that it serves. */
export async function visit(primary: Primary): Promise<{ pid: number; version: number }> {
  const port = primary.status().listen[0]?.port ?? 0
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  await once(socket, 'close')
  const [pid = 0, version = 0] = text.split(' ').map(Number)
  return { pid, version }
}

export function readyPids(primary: Primary): number[] {
  return primary
    .status()
    .workers.filter(({ state }) => state === 'ready')
    .map(({ pid }) => pid)
}
