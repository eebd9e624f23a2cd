import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findClosedPort, startEcho } from '../helpers/backends.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

test('errors are answered with the pages that were made for them, and pages change like settings', async (t) => {
  const backend = await startEcho(t, {
    answer: (_, response) => {
      response.writeHead(500).end('of the backend')
      return true
    },
  })
  const closed = { host: '127.0.0.1', port: await findClosedPort() }
  const files = {
    'lost.html': '<h1>lost {status} {request_id}</h1>',
    'down.html': '<h1>down: {reason}</h1>',
    'down.json': '{"code":{status}}',
    'shop.txt': 'the shop is closed\n',
  }
  const daemon = await startDaemon(t, {
    files,
    config: proxyConfig(
      [
        { path: '/api', ...closed },
        { path: '/shop', ...closed, error_pages: { connect_failed: './shop.txt' } },
        { path: '/limited', rate_limit: { requests: 1, per: '1h' }, error_pages: { '4xx': 'shop.txt' }, respond: {} },
        routeTo('/own', backend),
      ],
      { error_pages: { '404': './lost.html', '5xx': ['./down.html', './down.json'] } },
    ),
  })
  const ask = async (path: string, accept = '*/*', method = 'GET') => {
    const reply = await sendRequest({ port: daemon.port }, { method, path, headers: ['Accept', accept] })
    return { ...reply, text: reply.body.toString() }
  }

  const lost = await ask('/nowhere')
  const id = readField(lost.headers, 'x-request-id') ?? ''
  assert.equal(lost.text, `<h1>lost 404 ${id}</h1>`)
  assert.equal(readField(lost.headers, 'content-type'), 'text/html; charset=utf-8')
  assert.equal(readField(lost.headers, 'x-pyserve-reason'), 'no_route')
  assert.equal((await ask('/nowhere', '*/*', 'HEAD')).text, '')
  assert.equal(JSON.parse((await ask('/nowhere', 'application/json')).text).error, 'no_route')

  assert.equal((await ask('/api/x')).text, '<h1>down: connect_failed</h1>')
  assert.equal((await ask('/api/x', 'application/json')).text, '{"code":502}')
  assert.equal((await ask('/shop')).text, 'the shop is closed\n')
  assert.equal((await ask('/own')).text, 'of the backend')
  await ask('/limited')
  const limited = await ask('/limited')
  assert.deepEqual([limited.status, limited.text], [429, 'the shop is closed\n'])
  assert.notEqual(readField(limited.headers, 'retry-after'), undefined)

  const page = join(daemon.dir, 'down.html')
  await t.test('a page that is saved is used from then on', async () => {
    writeFileSync(page, '<h1>we are back soon</h1>')
    await waitFor(async () => (await ask('/api/x')).text === '<h1>we are back soon</h1>', { what: 'the new page' })
  })
  await t.test('a reload says whose pages changed', async () => {
    writeFileSync(join(daemon.dir, 'shop.txt'), 'sold out\n')
    const changed = async () => (await daemon.status()).lastReload?.routes.changed ?? []
    await waitFor(async () => (await changed()).includes('/shop'), { what: 'a reload' })
    assert.deepEqual(await changed(), ['/limited', '/shop'])
    assert.equal((await ask('/shop')).text, 'sold out\n')
  })
  await t.test('a page that goes away is kept as it was', async () => {
    rmSync(page)
    const reload = await daemon.cli('reload')
    assert.equal(reload.code, 1)
    assert.match(reload.stderr + reload.stdout, /down\.html does not exist/)
    assert.equal((await ask('/api/x')).text, '<h1>we are back soon</h1>')
  })
})
