import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startHttpBackend } from '../helpers/backends.ts'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

test('a route goes into maintenance and comes back, and what its backend has begun is finished', async (t) => {
  const open: ServerResponse[] = []
  const backend = await startHttpBackend(t, (request, response) => {
    if (request.url === '/slow') open.push(response)
    else response.end('shop')
  })
  const serving = proxyConfig([routeTo('/shop', backend)])
  const closed = {
    path: '/shop',
    respond: { status: 503, body: 'back at noon\n' },
    headers: { response: { set: { 'Retry-After': '3600' } } },
  }
  const daemon = await startDaemon(t, { config: serving })
  const ask = (path: string) => sendRequest({ port: daemon.port }, { path })

  const slow = ask('/shop/slow')
  await waitFor(() => open.length === 1, { what: 'the slow request' })
  daemon.writeConfig(proxyConfig([closed]))
  assertDone(await daemon.cli('reload'))
  const refused = await ask('/shop/cart')
  assert.equal(refused.status, 503)
  assert.equal(readField(refused.headers, 'retry-after'), '3600')
  assert.equal(refused.body.toString(), 'back at noon\n')
  open[0]?.end('late, and whole')
  assert.equal((await slow).body.toString(), 'late, and whole')

  daemon.writeConfig(serving)
  assertDone(await daemon.cli('reload'))
  assert.equal((await ask('/shop/cart')).body.toString(), 'shop')
})
