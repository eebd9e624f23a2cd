import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashPassword } from '../../src/password.ts'
import { type Echo, startEcho } from '../helpers/backends.ts'
import { createSite, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

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

test('a route asks for a name and a password, and tells its backend who came', async (t) => {
  const backend = await startEcho(t)
  const users = { alice: (await hashPassword('wonderland')).replaceAll('$', '$$$$') }
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/', backend, { auth: { basic: { users } } })]) })
  const ask = (...headers: string[]) => sendRequest({ port: daemon.port }, { path: '/', headers })
  const refused = await ask()
  assert.equal(refused.status, 401)
  assert.match(readField(refused.headers, 'www-authenticate') ?? '', /^Basic realm="restricted"/)
  assert.equal(readField(refused.headers, 'x-pyserve-reason'), 'unauthorized')
  const credentials = `Basic ${Buffer.from('alice:wonderland').toString('base64')}`
  const reply = await ask('Authorization', credentials, 'X-Remote-User', 'mallory')
  assert.equal(reply.status, 200)
  const { headers } = JSON.parse(reply.body.toString()) as Echo
  assert.equal(readField(headers, 'x-remote-user'), 'alice')
  assert.equal(headers.filter((name) => name.toLowerCase() === 'x-remote-user').length, 1)
})

test('a hash is made by the program and taken by it; a password in the clear is not', async (t) => {
  const site = createSite(t, { config: proxyConfig([]) })
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const { stdout } = spawnSync(process.execPath, [cli, 'hash-password', '--json'], { input: 'wonderland\n' })
  const { hash } = JSON.parse(stdout.toString()) as { hash: string }
  const route = (value: string) => ({ path: '/', auth: { basic: { users: { alice: value } } }, respond: { body: 'x' } })
  site.writeConfig(proxyConfig([route(hash.replaceAll('$', '$$$$'))]))
  assert.equal((await site.cli('check')).code, 0)
  site.writeConfig(proxyConfig([route('wonderland')]))
  const checked = await site.cli('check')
  assert.equal(checked.code, 1)
  assert.match(checked.stderr + checked.stdout, /hash-password/)
})
