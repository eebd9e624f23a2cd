import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { Config } from '../../src/config/config.ts'
import { watchFiles } from '../../src/config/watch.ts'
import { DEADLINES } from '../../src/primary/deadlines.ts'
import { LimitDesk } from '../../src/primary/limit-desk.ts'
import { Reloader } from '../../src/primary/reload.ts'
import { RESTART_POLICY } from '../../src/primary/restart-policy.ts'
import { Supervisor } from '../../src/primary/supervisor.ts'

test('a fault of the program in a reload is reported, and the next one is tried', async (t) => {
  const logger = pino({ level: 'silent' })
  const snapshot = { version: 7, config: {} as Config, ticketKeys: '', stickySecret: '' }
  const supervisor = new Supervisor(
    { snapshot, generation: 1, sockets: [] },
    {
      program: { exec: '/nowhere', env: {} },
      deadlines: DEADLINES,
      policy: RESTART_POLICY,
      troubled: () => {},
      briefing: () => [],
      counted: () => assert.fail(),
      limits: new LimitDesk(),
      logger,
    },
  )
  const watch = await watchFiles([], { changed: () => assert.fail(), failed: (error) => assert.fail(error) })
  t.after(() => watch.close())
  let loads = 0
  const reloader = new Reloader({
    supervisor,
    logger,
    load: async () => {
      loads += 1
      throw new TypeError('not a function')
    },
    watch,
    admin: { prepare: () => assert.fail() },
    stickySecret: () => '',
    discover: async () => {},
    accepted: () => assert.fail(),
  })
  const reports = await Promise.all([
    reloader.request('watch'),
    reloader.request('signal'),
    reloader.request('command'),
  ])
  assert.deepEqual(
    reports.map(({ ok, version, error }) => ({ ok, version, error })),
    reports.map(() => ({ ok: false, version: 7, error: 'the reload broke off: TypeError: not a function' })),
  )
  assert.equal(loads, 2)
  assert.equal(reloader.activity, 'running')
})
