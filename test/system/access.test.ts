import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { WebSocket } from 'ws'
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
  const users = { alice: await hashPassword('wonderland') }
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
  site.writeConfig(proxyConfig([route(hash)]))
  assert.equal((await site.cli('check')).code, 0)
  site.writeConfig(proxyConfig([route('wonderland')]))
  const checked = await site.cli('check')
  assert.equal(checked.code, 1)
  assert.match(checked.stderr + checked.stdout, /hash-password/)
})

for (const engine of ['native', 'http-proxy-3']) {
  test(`another service decides who comes in, and who cannot ask it stays out (${engine})`, async (t) => {
    const backend = await startEcho(t)
    const asked: string[] = []
    const service = await startEcho(t, {
      answer(request, response) {
        asked.push(`${request.method} ${request.headers['x-forwarded-method']} ${request.headers['x-forwarded-uri']}`)
        if (request.headers.cookie === 'session=alice') response.writeHead(200, { 'Remote-User': 'alice' }).end()
        else response.writeHead(302, { Location: 'https://login.example/', 'Set-Cookie': 'csrf=1' }).end('to the door')
        return true
      },
    })
    const auth = { forward: { url: `http://127.0.0.1:${service.port}/verify`, copy_headers: ['Remote-User'] } }
    const routes = [routeTo('/', backend, { auth }), { path: '/own', auth, respond: { body: 'mine' } }]
    const daemon = await startDaemon(t, { config: proxyConfig(routes, { engine }) })
    const ask = (path: string, ...headers: string[]) => sendRequest({ port: daemon.port }, { path, headers })

    const stranger = await ask('/x/../secret', 'Remote-User', 'mallory')
    assert.equal(stranger.status, 302)
    assert.equal(readField(stranger.headers, 'location'), 'https://login.example/')
    assert.equal(readField(stranger.headers, 'set-cookie'), 'csrf=1')
    assert.equal(stranger.body.toString(), 'to the door')
    assert.equal(backend.requests, 0)
    assert.deepEqual(asked, ['GET GET /secret'])

    const known = await ask('/a?b=c', 'Cookie', 'session=alice', 'Remote-User', 'mallory', 'Remote_User', 'eve')
    const { headers } = JSON.parse(known.body.toString()) as Echo
    assert.equal(readField(headers, 'remote-user'), 'alice')
    assert.equal(readField(headers, 'remote_user'), undefined)
    assert.equal(readField(headers, 'x-forwarded-uri'), undefined)
    assert.equal((await ask('/own', 'Cookie', 'session=alice')).body.toString(), 'mine')

    const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}/chat`)
    const [, refusal] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.equal(refusal.statusCode, 302)
    refusal.destroy()

    service.kill()
    const lost = await ask('/', 'Cookie', 'session=alice')
    assert.deepEqual([lost.status, readField(lost.headers, 'x-pyserve-reason')], [502, 'connect_failed'])
  })
}

test('a session of a known client is let through to a WebSocket, with a body behind the question', async (t) => {
  const backend = await startEcho(t)
  const service = await startEcho(t)
  const auth = { forward: { url: `http://127.0.0.1:${service.port}/` } }
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/', backend, { auth })]) })
  const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}/chat`)
  await once(socket, 'open')
  socket.send('hello')
  const [message] = (await once(socket, 'message')) as [Buffer]
  assert.equal(message.toString(), 'hello')
  socket.close()
  await once(socket, 'close')
  const body = Buffer.alloc(3 << 20, 'x')
  const reply = await sendRequest({ port: daemon.port }, { method: 'POST', path: '/up', body })
  assert.equal((JSON.parse(reply.body.toString()) as Echo).bodyBytes, body.length)
})

test("PyServe's locations ask for a password whatever route takes the path", async (t) => {
  const backend = await startEcho(t)
  const auth = { type: 'basic', username: 'admin', password: '$'.concat('{ADMIN_PASS}') }
  const daemon = await startDaemon(t, {
    env: { ADMIN_PASS: 'secretpass' },
    config: proxyConfig(
      [routeTo('/', backend), routeTo('/admin/api', backend), { path: '/x', respond: { body: 'x' } }],
      {
        locations: { '/admin': { auth }, '/x/y': { auth } },
      },
    ),
  })
  const status = async (path: string, ...headers: string[]) =>
    (await sendRequest({ port: daemon.port }, { path, headers })).status
  const right = ['Authorization', `Basic ${Buffer.from('admin:secretpass').toString('base64')}`]
  for (const path of ['/admin', '/admin/api/x', '//admin', '/%61dmin/', '/a/../admin', '/admin%2Fx', '/x/y']) {
    assert.equal(await status(path), 401, path)
    assert.equal(await status(path, ...right), 200, path)
  }
  assert.equal(await status('/administrator'), 200)
  assert.equal(await status('/x'), 200)
  const refused = await sendRequest({ port: daemon.port }, { path: '/admin' })
  assert.equal(readField(refused.headers, 'www-authenticate'), 'Basic realm="Restricted Area", charset="UTF-8"')
  const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}/admin/chat`)
  const [, refusal] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(refusal.statusCode, 401)
  refusal.destroy()
  const told = await daemon.cli('status', '--json')
  assert.doesNotMatch(told.stdout, /secretpass/)
})
