import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { findClosedPort } from './backends.ts'
import { waitFor } from './wait.ts'

/** For tests that need a real one. */
export const NEEDS_REDIS = {
  skip: spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed',
}

export interface TestRedis {
  readonly port: number
  readonly url: string
  /** As kill -9 does: its connections are reset, and what it held is lost. */
  kill(): Promise<void>
  /** It takes connections, and answers nothing. */
  freeze(): void
  thaw(): void
  /** Again on the same port. */
  start(): Promise<void>
}

/** A redis-server that keeps nothing on disk. */
export async function startRedis(t: TestContext): Promise<TestRedis> {
  const port = await findClosedPort()
  let server: ChildProcess | undefined

  async function kill(): Promise<void> {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    server = spawn('redis-server', args, { stdio: 'ignore', cwd: '/tmp' })
    await waitFor(() => isListening(port), { what: 'redis-server to listen' })
  }

  t.after(kill)
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
