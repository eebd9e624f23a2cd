import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { connectServiceManager } from '../../src/primary/systemd.ts'
import { waitFor } from '../helpers/wait.ts'

/** A `systemd-notify` that writes down what it is given, one line a call. */
function stubProgram(t: TestContext, exitCode = 0) {
  const dir = mkdtempSync(join(tmpdir(), 'systemd-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const record = join(dir, 'record')
  writeFileSync(join(dir, 'systemd-notify'), `#!/bin/sh\necho "$*" >> ${record}\nexit ${exitCode}\n`, { mode: 0o755 })
  const lines = () => (existsSync(record) ? readFileSync(record, 'utf8').trim().split('\n') : [])
  return { env: { PATH: `${dir}:/usr/bin:/bin`, NOTIFY_SOCKET: '/nowhere' }, lines }
}

const silent = pino({ level: 'silent' })

test('systemd hears of readiness, reload and stop in their order', async (t) => {
  const { env, lines } = stubProgram(t)
  const manager = connectServiceManager(env, silent)
  manager.ready('serving http://x')
  manager.reloading()
  manager.ready('serving http://y')
  manager.stopping()
  await waitFor(() => lines().length === 4, { what: 'four messages' })
  const [ready, reloading, again, stopping] = lines()
  assert.equal(ready, `READY=1 MAINPID=${process.pid} STATUS=serving http://x`)
  assert.match(reloading ?? '', /^RELOADING=1 MONOTONIC_USEC=\d+$/)
  assert.match(again ?? '', /^READY=1 /)
  assert.match(stopping ?? '', /^STOPPING=1 /)
  const uptimeUsec = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6
  assert.ok(Math.abs(Number(/USEC=(\d+)/.exec(reloading ?? '')?.[1]) - uptimeUsec) < 60e6)
  manager.close()
})

test('the watchdog is fed until the end', async (t) => {
  const { env, lines } = stubProgram(t)
  const manager = connectServiceManager({ ...env, WATCHDOG_USEC: '20000' }, silent)
  t.after(() => manager.close())
  await waitFor(() => lines().filter((line) => line === 'WATCHDOG=1').length >= 2, { what: 'two signs of life' })
})

test('without systemd, or without its program, nothing happens', async (t) => {
  const { env } = stubProgram(t)
  connectServiceManager({ PATH: env.PATH }, silent).ready('x')
  const warnings: unknown[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) })
  connectServiceManager({ PATH: '/nowhere', NOTIFY_SOCKET: '/nowhere' }, logger).ready('x')
  await waitFor(() => warnings.length === 1, { what: 'a warning' })
})

test('a watchdog that expects another process is left alone', async (t) => {
  const { env, lines } = stubProgram(t)
  const other = { ...env, WATCHDOG_USEC: '2000', WATCHDOG_PID: String(process.ppid) }
  const manager = connectServiceManager(other, silent)
  t.after(() => manager.close())
  for (const status of ['a', 'b', 'c', 'd']) manager.ready(status)
  await waitFor(() => lines().length >= 4, { what: 'four messages' })
  assert.equal(lines().includes('WATCHDOG=1'), false)
})
