import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const ROLLS = 3

for (const { name, pauseMs, clients } of [
  { name: 'busy clients', pauseMs: 1, clients: { 'keep-alive': 8, 'new connection': 8, upload: 2, websocket: 8 } },
  { name: 'clients that pause', pauseMs: 150, clients: { 'keep-alive': 100, 'new connection': 4, websocket: 50 } },
]) {
  test(`${ROLLS} rolling restarts fail no request of ${name}`, async (t) => {
    const backend = await startEcho(t)
    const timeouts = { drain: '4s', websocket_drain: '4s' }
    const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/load', backend)], { timeouts }) })
    const first = await daemon.workerPids()
    const load = startLoad({ port: daemon.port }, { path: '/load', pauseMs, clients })
    const tookMs: number[] = []
    for (let roll = 0; roll < ROLLS; roll++) {
      const startedMs = performance.now()
      assertDone(await daemon.cli('restart'))
      tookMs.push(Math.round(performance.now() - startedMs))
    }
    await waitFor(async () => (await daemon.status()).workers.length === 2, { what: 'the old workers to be gone' })
    const result = await load.stop()
    t.diagnostic(describeLoad(result))
    t.diagnostic(`rolls of two workers took ${tookMs.join(' ')} ms`)
    assert.deepEqual(listFailures(result), [])
    assert.doesNotMatch(daemon.readLog(), /by force/)
    assert.equal((await daemon.status()).generation, 1 + ROLLS)
    assert.ok((await daemon.workerPids()).every((pid) => !first.includes(pid)))
  })
}
