import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho } from '../helpers/echo-client.ts'
import { findProcesses } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

test('kill -9 of the primary takes the workers along, and what it leaves does not hinder the next start', async (t) => {
  const backend = await startEcho(t)
  const timeouts = { drain: '2s', websocket_drain: '2s' }
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/', backend)], { timeouts }) })
  const tunnel = new WebSocketClient({ port: daemon.port }, '/')
  assert.ok(await tunnel.opened())

  process.kill(daemon.pid, 'SIGKILL')
  assert.equal((await tunnel.ended).code, 1001)
  await waitFor(() => findProcesses(daemon.dir).length === 0, { what: 'the workers to leave' })
  assert.equal((await daemon.cli('status')).code, 3)
  assert.equal((await daemon.cli('reload')).code, 3)

  assertDone(await daemon.cli('start'))
  const { pid, listen } = await daemon.status()
  assert.notEqual(pid, daemon.pid)
  assert.equal((await fetchEcho({ port: listen[0]?.port ?? 0 }, { path: '/a' })).target, '/a')
  assertDone(await daemon.cli('stop'))
  await daemon.ended()
})
