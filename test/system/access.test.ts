import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'

test('clients are let in by their address, and by what trusted proxies say of it alone', async (t) => {
  const respond = { body: 'in' }
  const daemon = await startDaemon(t, {
    config: proxyConfig(
      [
        { path: '/net', allow: ['10.0.0.0/8'], deny: ['10.66.0.0/16'], respond },
        { path: '/local', allow: ['127.0.0.1'], respond },
      ],
      { trusted_proxies: ['127.0.0.0/8'] },
    ),
  })
  const ask = async (path: string, forwardedFor: string) => {
    const headers = forwardedFor === '' ? [] : ['X-Forwarded-For', forwardedFor]
    const reply = await sendRequest({ port: daemon.port }, { path, headers })
    return [reply.status, readField(reply.headers, 'x-pyserve-reason')]
  }
  assert.deepEqual(await ask('/net', '10.1.2.3'), [200, undefined])
  assert.deepEqual(await ask('/net', '10.66.0.1'), [403, 'forbidden'])
  assert.deepEqual(await ask('/net', '192.0.2.1'), [403, 'forbidden'])
  assert.deepEqual(await ask('/net', '10.1.2.3, 192.0.2.1'), [403, 'forbidden'])
  assert.deepEqual(await ask('/local', ''), [200, undefined])
  assert.deepEqual(await ask('/local', '10.1.2.3'), [403, 'forbidden'])
})
