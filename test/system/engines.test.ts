import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

test('the native engine is the default, and a change of engine under load fails no request', async (t) => {
  const backend = await startEcho(t)
  const routes = [routeTo('/api', backend)]
  const daemon = await startDaemon(t, { config: proxyConfig(routes) })
  assert.equal((await daemon.status()).engine, 'native')
  const clients = { 'keep-alive': 4, 'new connection': 2, upload: 2, websocket: 4 }
  const load = startLoad({ port: daemon.port }, { path: '/api/load', clients })
  for (const engine of ['http-proxy-3', 'native']) {
    daemon.writeConfig(proxyConfig(routes, { engine }))
    assertDone(await daemon.cli('reload'))
    assert.equal((await daemon.status()).engine, engine)
    const target = { port: daemon.port }
    assert.equal(
      (await fetchEcho(target, { method: 'GET', path: `/api/${engine}?a=%20&a` })).target,
      `/${engine}?a=%20&a`,
    )
    assert.equal((await fetchWebSocketEcho(target, '/api/ws')).target, '/ws')
  }
  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  assert.deepEqual(listFailures(result), [])
})
