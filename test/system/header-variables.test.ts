import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Echo, startEcho } from '../helpers/backends.ts'
import { createSite, startDaemon } from '../helpers/daemon.ts'
import { readFields, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

test('fields with variables go both ways in place of what was there', async (t) => {
  const backend = await startEcho(t)
  const headers = {
    request: { set: { 'X-Url': '{scheme}://{host}{path}?{query}', 'X-Real-IP': 'ip {client_ip}' } },
    response: { set: { 'X-Method': '{method}', 'Content-Type': 'text/{method}' } },
  }
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/api', backend, { headers })]) })
  const reply = await sendRequest(
    { port: daemon.port },
    { path: '/api/a?b=c', headers: ['Host', 'site.example:81', 'X-Url', 'forged'] },
  )
  const echo = JSON.parse(reply.body.toString()) as Echo
  assert.deepEqual(readFields(echo.headers, 'x-url'), ['http://site.example:81/api/a?b=c'])
  assert.deepEqual(readFields(echo.headers, 'x-real-ip'), ['ip 127.0.0.1'])
  assert.deepEqual(readFields(reply.headers, 'x-method'), ['GET'])
  assert.deepEqual(readFields(reply.headers, 'content-type'), ['text/GET'])
})

test('a name that is no variable is a problem with its line', async (t) => {
  const headers = { request: { set: { 'X-A': '{hots}', Host: '{host}' } } }
  const site = createSite(t, { config: proxyConfig([{ path: '/', headers }]) })
  const { code, stderr, stdout } = await site.cli('check')
  assert.equal(code, 1)
  assert.match(stderr + stdout, /config.yaml:\d+:\d+.*there is no variable \{hots\}/)
  assert.match(stderr + stdout, /did you mean \{host\}\?/)
  assert.match(stderr + stdout, /Host cannot have variables/)
})
