import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { collect, createDaemon, isGone, simpleConfig } from './daemon-fixture.ts'

const options = { timeout: 120_000 }

test('start returns when it serves, stop when nothing is left', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const started = await daemon.run('start')
  assert.equal(started.stderr, '')
  assert.equal(started.status, 0)
  const [, pid, url] = /running, pid (\d+)\n {2}listen {2}(http\S+)\n {2}workers 2\n/.exec(started.stdout) ?? []
  assert.ok(pid && url, started.stdout)
  assert.match(started.stdout, new RegExp(`log {5}${daemon.runDir}/pyserve-ts\\.log\n.*log_file is not set`))
  assert.equal(await (await fetch(`${url}/ok`)).text(), 'fine')

  const again = await daemon.run('start')
  assert.match(again.stderr, new RegExp(`already running for this configuration, pid ${pid}\n`))
  assert.equal(again.status, 1)

  const { workers } = await daemon.status()
  const stopped = await daemon.run('stop')
  assert.match(stopped.stdout, new RegExp(`^stopped pid ${pid} cleanly`))
  assert.equal(stopped.status, 0)
  for (const process of [Number(pid), ...workers.map((worker) => worker.pid)]) assert.ok(isGone(process))
  assert.deepEqual(readdirSync(daemon.runDir), ['pyserve-ts.log'])
  assert.equal((await daemon.run('stop')).status, 3)
})

test('a port that is taken fails the start and leaves nothing behind', options, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const daemon = createDaemon(t, simpleConfig())
  const { status, stderr } = await daemon.run('start', '--port', String(port))
  assert.match(stderr, new RegExp(`^error: cannot listen on 127\\.0\\.0\\.1:${port}: `))
  assert.equal(status, 1)
  assert.ok(!existsSync(daemon.runDir))
})

test('a daemon that dies before it is ready is shown with what it printed', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const crash = join(daemon.dir, 'crash.cjs')
  writeFileSync(crash, "if (process.argv.includes('run')) throw new Error('out of luck')\n")
  const { status, stderr } = await collect(daemon.spawn(['start'], { NODE_OPTIONS: `--require ${crash}` }))
  assert.match(stderr, /^error: the daemon ended with exit code 1 before it was ready\n[\s\S]*Error: out of luck/)
  assert.equal(status, 1)
  assert.ok(!existsSync(daemon.runDir))
})

test('a start that is interrupted leaves nothing behind', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const start = daemon.spawn(['start'])
  const result = collect(start)
  await waitFor(() => daemon.pid() !== undefined, { what: 'the daemon has its pid file' })
  const pid = daemon.pid()
  start.kill('SIGINT')
  const { status } = await result
  // It may have been ready already.
  if (status === 0) return
  assert.equal(status, 1)
  assert.ok(pid !== undefined && isGone(pid))
  assert.deepEqual(existsSync(daemon.runDir) ? readdirSync(daemon.runDir) : [], [])
})

test('of two starts at the same time one wins', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const results = await Promise.all([daemon.run('start'), daemon.run('start')])
  assert.deepEqual(results.map(({ status }) => status).toSorted(), [0, 1])
  const loser = results.find(({ status }) => status === 1)
  assert.match(loser?.stderr ?? '', /already running|just being started/)
  assert.match((await daemon.run('status')).stdout, /is running/)
})

test('what a killed daemon leaves is not taken for a daemon', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  await daemon.run('start')
  const pid = daemon.pid()
  assert.ok(pid)
  process.kill(pid, 'SIGKILL')
  await waitFor(() => isGone(pid), { what: 'the primary is gone' })
  assert.equal((await daemon.run('status')).status, 3)
  const restarted = await daemon.run('start')
  assert.equal(restarted.status, 0, restarted.stderr)
  assert.notEqual(daemon.pid(), pid)
  process.kill(daemon.pid() ?? 0, 'SIGKILL')
  await waitFor(() => daemon.pid() === undefined || isGone(daemon.pid() ?? 0), { what: 'the second primary is gone' })
  assert.equal((await daemon.run('stop')).status, 3)
  assert.deepEqual(readdirSync(daemon.runDir), ['pyserve-ts.log'])
})
