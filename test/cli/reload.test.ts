import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDaemon, simpleConfig } from './daemon-fixture.ts'

const options = { timeout: 120_000 }

test('status, routes, reload and restart of a daemon', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const started = JSON.parse((await daemon.run('start', '--json')).stdout)
  assert.equal(started.ok, true)
  assert.equal(started.workers.length, 2)
  assert.match((await daemon.run('status')).stdout, /is running.*\n {2}pid {5}\d+\n/)
  const routes = JSON.parse((await daemon.run('routes', '--json')).stdout)
  assert.deepEqual(
    routes.map(({ path, target }: Record<string, unknown>) => ({ path, target })),
    [{ path: '/ok', target: 'respond 200' }],
  )

  daemon.write(simpleConfig('    - { path: /new, respond: { status: 200, body: new } }'))
  // The file is watched as well: whichever comes first does it, and the other finds nothing left to change.
  const reloaded = await daemon.run('reload')
  assert.match(reloaded.stdout, /^reloaded in /)
  assert.equal(reloaded.status, 0)
  assert.equal(await (await fetch(`${await daemon.url()}/new`)).text(), 'new')

  daemon.write(`${simpleConfig()}typo: 1\n`)
  const refused = await daemon.run('reload')
  assert.match(refused.stderr, /^reload failed .* serves on as before\n[\s\S]*config\.yaml:\d+:1: error: .*"typo"/)
  assert.equal(refused.stdout, '')
  assert.equal(refused.status, 1)
  assert.equal(JSON.parse((await daemon.run('reload', '--json')).stdout).ok, false)
  assert.match((await daemon.run('status')).stdout, /reload failed[\s\S]*"typo"/)
  assert.equal(await (await fetch(`${await daemon.url()}/new`)).text(), 'new')

  daemon.write(simpleConfig())
  const before = await daemon.status()
  const restarted = await daemon.run('restart')
  assert.match(restarted.stdout, /^restarted in .*workers replaced one by one/)
  assert.equal(restarted.status, 0)
  const after = await daemon.status()
  assert.ok(after.generation > before.generation)
  assert.equal(after.pid, before.pid)
})

test('a log file that cannot be written fails the reload', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  await daemon.run('start')
  const before = await daemon.status()
  daemon.write(`${simpleConfig()}logging: { log_file: ./config.yaml/p.log }\n`)
  const { status, stderr } = await daemon.run('reload')
  assert.match(stderr, /cannot write the log file .*config\.yaml\/p\.log/)
  assert.equal(status, 1)
  const after = await daemon.status()
  assert.equal(after.version, before.version)
  assert.equal(after.logFile, before.logFile)
})
