import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Echo, findClosedPort, startEcho, startFaulty, startTcpBackend } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

interface Mirrored {
  readonly daemon: Daemon
  readonly copies: { method: string; target: string; sha256: string; requestId: string }[]
}

/** A route whose requests are copied to a backend that notes them and answers something else. */
async function startMirrored(t: TestContext, mirror: object = {}): Promise<Mirrored> {
  const copies: Mirrored['copies'] = []
  const shadow = await startEcho(t, {
    answer(request, response) {
      const hash = createHash('sha256')
      request.on('data', (chunk) => hash.update(chunk))
      request.on('end', () => {
        const requestId = String(request.headers['x-request-id'])
        copies.push({ method: request.method ?? '', target: request.url ?? '', sha256: hash.digest('hex'), requestId })
        response.writeHead(500).end('nobody sees this')
      })
      return true
    },
  })
  const primary = await startEcho(t)
  const daemon = await startDaemon(t, {
    config: proxyConfig([routeTo('/api', primary, { mirror: { upstream: 'shadow', ...mirror } })], {
      upstreams: { shadow: { backends: [{ host: shadow.host, port: shadow.port }] } },
    }),
  })
  return { daemon, copies }
}

test('requests are copied with their bodies, and only the first backend is heard', async (t) => {
  const { daemon, copies } = await startMirrored(t)
  const body = randomBytes(300_000)
  const replies = [
    await sendRequest({ port: daemon.port }, { path: '/api/a?b=1' }),
    await sendRequest({ port: daemon.port }, { method: 'POST', path: '/api/c', body }),
  ]
  for (const { status } of replies) assert.equal(status, 200)
  await waitFor(() => copies.length === 2, { what: 'both copies' })
  const echoes = replies.map((reply) => JSON.parse(reply.body.toString()) as Echo)
  assert.deepEqual(
    copies.map(({ method, target, sha256 }) => [method, target, sha256]).sort(),
    echoes.map(({ method, target, bodySha256 }) => [method, target, bodySha256]).sort(),
  )
  assert.equal(copies[0]?.requestId, readField(replies[0]?.headers ?? [], 'x-request-id'))
})

test('a share of the requests is copied', async (t) => {
  const { daemon, copies } = await startMirrored(t, { share: '50%' })
  for (let i = 0; i < 200; i++) await sendRequest({ port: daemon.port }, { path: '/api/x' })
  // Of 200 fair coins, further from 100 than 50 once in 10^12 runs.
  await waitFor(() => copies.length >= 50, { what: 'enough copies' })
  assert.ok(copies.length <= 150, `${copies.length} copies`)
})

for (const { name, start } of [
  { name: 'answers nothing', start: (t: TestContext) => startFaulty(t, 'silent') },
  { name: 'resets', start: (t: TestContext) => startFaulty(t, 'resets') },
  { name: 'never reads', start: (t: TestContext) => startTcpBackend(t, (socket) => socket.pause()) },
  { name: 'is not there', start: async () => ({ host: '127.0.0.1', port: await findClosedPort() }) },
]) {
  test(`a group that ${name} changes nothing for the client, whatever the body`, async (t) => {
    const shadow = await start(t)
    const primary = await startEcho(t)
    const daemon = await startDaemon(t, {
      config: proxyConfig([routeTo('/api', primary, { mirror: { upstream: 'shadow', buffer: '64kb' } })], {
        upstreams: { shadow: { backends: [{ host: shadow.host, port: shadow.port }] } },
      }),
    })
    const body = randomBytes(8 << 20)
    for (let i = 0; i < 3; i++) {
      const reply = await sendRequest({ port: daemon.port }, { method: 'POST', path: '/api/x', body })
      const echo = JSON.parse(reply.body.toString()) as Echo
      assert.equal(echo.bodySha256, createHash('sha256').update(body).digest('hex'))
    }
  })
}
