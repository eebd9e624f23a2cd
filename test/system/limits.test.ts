import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { startEcho, startHttpBackend } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { ClientConnection, type Reply, readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { NEEDS_REDIS, startRedis } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'

/** Nothing comes back while a test runs. */
const SLOW = { requests: 4, per: '1h' }

function ask({ port }: Daemon, path: string, headers: readonly string[] = []): Promise<Reply> {
  return sendRequest({ port }, { path, headers })
}

/** Over many connections, so that every worker has some of them. */
async function countPassed(daemon: Daemon, path: string, count: number, headers: readonly string[] = []) {
  const replies = await Promise.all(Array.from({ length: count }, () => ask(daemon, path, headers)))
  assert.ok(replies.every(({ status }) => status === 200 || status === 429))
  return replies.filter(({ status }) => status === 200).length
}

test('limits of routes over two workers', async (t) => {
  const backend = await startEcho(t)
  const limited = (path: string, rate_limit: object) => routeTo(path, backend, { rate_limit })
  const routes = [
    limited('/ip', SLOW),
    limited('/header', { ...SLOW, key: 'header:X-Api-Key' }),
    limited('/cookie', { ...SLOW, key: 'cookie:sid' }),
    limited('/route', { ...SLOW, key: 'route' }),
    limited('/several', [
      { requests: 3, per: '1h', key: 'header:X-Api-Key' },
      { requests: 8, per: '1h', key: 'route' },
    ]),
    limited('/trial', { ...SLOW, dry_run: true }),
    limited('/burst', { requests: 4, per: '1h', burst: 2 }),
    routeTo('/small', backend, { limits: { body_bytes: 10 } }),
    routeTo('/large', backend, { limits: { body_bytes: 0 } }),
  ]
  const server = { trusted_proxies: ['127.0.0.1'], limits: { body_bytes: 100 } }
  const daemon = await startDaemon(t, { config: proxyConfig(routes, server) })
  const from = (address: string) => ['X-Forwarded-For', address]

  await t.test('count each client for itself, behind a trusted proxy too', async () => {
    assert.equal(await countPassed(daemon, '/ip', 12, from('192.0.2.1')), 4)
    assert.equal(await countPassed(daemon, '/ip', 12, from('192.0.2.2')), 4)
  })
  await t.test('take all of an IPv6 network for one client', async () => {
    assert.equal(await countPassed(daemon, '/ip', 3, from('2001:db8::1')), 3)
    assert.equal(await countPassed(daemon, '/ip', 3, from('2001:db8::ffff:2')), 1)
    assert.equal(await countPassed(daemon, '/ip', 3, from('2001:db8:0:1::1')), 3)
  })
  await t.test('count by a header, and by the address where it is missing', async () => {
    assert.equal(await countPassed(daemon, '/header', 9, ['X-Api-Key', 'a']), 4)
    assert.equal(await countPassed(daemon, '/header', 9, ['X-Api-Key', 'b']), 4)
    assert.equal(await countPassed(daemon, '/header', 9, from('192.0.2.1')), 4)
    assert.equal(await countPassed(daemon, '/header', 3, from('192.0.2.2')), 3)
  })
  await t.test('count by a cookie', async () => {
    assert.equal(await countPassed(daemon, '/cookie', 9, ['Cookie', 'a=1; sid=x']), 4)
    assert.equal(await countPassed(daemon, '/cookie', 9, ['Cookie', 'sid=y']), 4)
  })
  await t.test('count all requests of a route', async () => {
    assert.equal(await countPassed(daemon, '/route', 5, from('192.0.2.1')), 4)
    assert.equal(await countPassed(daemon, '/route', 5, from('192.0.2.2')), 0)
  })
  await t.test('pass no more at once than the burst', async () => {
    assert.equal(await countPassed(daemon, '/burst', 9), 2)
  })
  await t.test('hold all together, and what one refuses counts for none', async () => {
    assert.equal(await countPassed(daemon, '/several', 9, ['X-Api-Key', 'a']), 3)
    assert.equal(await countPassed(daemon, '/several', 9, ['X-Api-Key', 'b']), 3)
    // What key a was refused is given back within moments.
    let passed = 0
    await waitFor(
      async () => {
        passed += await countPassed(daemon, '/several', 1, ['X-Api-Key', 'c'])
        return passed === 2
      },
      { what: 'two more to pass' },
    )
    assert.equal(await countPassed(daemon, '/several', 5, ['X-Api-Key', 'd']), 0)
  })
  await t.test('say what is left, and when to come again', async () => {
    const passed = await ask(daemon, '/ip', from('192.0.2.9'))
    assert.equal(readField(passed.headers, 'ratelimit-policy'), '"ip";q=4;w=3600')
    assert.match(readField(passed.headers, 'ratelimit') ?? '', /^"ip";r=3;t=900$/)
    const refused = await ask(daemon, '/ip', from('192.0.2.1'))
    assert.equal(refused.status, 429)
    assert.equal(readField(refused.headers, 'x-pyserve-reason'), 'rate_limited')
    const seconds = Number(readField(refused.headers, 'retry-after'))
    assert.ok(seconds > 800 && seconds <= 900, `${seconds}`)
    assert.match(readField(refused.headers, 'ratelimit') ?? '', /^"ip";r=0;t=3\d\d\d$/)
  })
  await t.test('on trial let everything pass and log it', async () => {
    assert.equal(await countPassed(daemon, '/trial', 9), 9)
    assert.equal(readField((await ask(daemon, '/trial')).headers, 'ratelimit'), undefined)
    await waitFor(() => daemon.readLog().match(/"would_refuse":"rate_limited"/g)?.length === 6, {
      what: 'six lines in the log',
    })
  })
  await t.test('of bodies stand in place of the limit of the server', async () => {
    const post = async (path: string, bytes: number) =>
      (await sendRequest({ port: daemon.port }, { method: 'POST', path, body: 'x'.repeat(bytes) })).status
    assert.deepEqual([await post('/small', 10), await post('/small', 11)], [200, 413])
    assert.equal(await post('/large', 1_000), 200)
    assert.equal(await post('/trial', 101), 413)
  })
  await t.test('are kept over a reload that does not change them', async () => {
    const changed = routes.map((route) => ({ ...route, timeouts: { response: '9s' } }))
    daemon.writeConfig(proxyConfig([...changed], server))
    assert.equal((await daemon.reload()).ok, true)
    assert.equal(await countPassed(daemon, '/ip', 5, from('192.0.2.1')), 0)
    assert.equal((await daemon.cli('restart')).code, 0)
    assert.equal(await countPassed(daemon, '/ip', 5, from('192.0.2.1')), 0)
  })
})

test('never more requests are under way than a route allows, also when workers are killed', async (t) => {
  const CONCURRENCY = 4
  const held = new Set<ServerResponse>()
  let most = 0
  const backend = await startHttpBackend(t, (_request, response) => {
    held.add(response)
    most = Math.max(most, held.size)
    response.on('close', () => held.delete(response))
  })
  const config = proxyConfig([routeTo('/', backend, { concurrency: CONCURRENCY })])
  const daemon = await startDaemon(t, { config })

  const fill = async () => {
    const clients = openClients(t, daemon.port, 24)
    await waitFor(() => clients.refused.length === 24 - CONCURRENCY, {
      what: () => `all but ${CONCURRENCY} to be refused, not ${clients.refused.length}`,
    })
    await waitFor(() => held.size === CONCURRENCY, { what: () => `the others at the backend, not ${held.size}` })
    assert.deepEqual(new Set(clients.refused.map(({ status }) => status)), new Set([503]))
    assert.equal(readField(clients.refused[0]?.headers ?? [], 'x-pyserve-reason'), 'over_capacity')
    assert.equal(readField(clients.refused[0]?.headers ?? [], 'retry-after'), '1')
    return clients
  }

  const first = await fill()
  for (const response of held) response.end('done')
  await waitFor(() => first.passed.length === CONCURRENCY, { what: 'the answers' })
  await refill(fill, held)
  for (const pid of await daemon.workerPids()) process.kill(pid, 'SIGKILL')
  await waitFor(() => held.size === 0, { what: 'the requests of the killed workers to end' })
  await waitFor(async () => (await daemon.status()).workers.filter(({ state }) => state === 'ready').length === 2, {
    what: 'other workers',
  })
  await refill(fill, held)
  assert.equal(most, CONCURRENCY)
})

/** Places that were given back a moment ago may not be known everywhere: then fewer pass than may. */
async function refill(fill: () => Promise<unknown>, held: Set<ServerResponse>): Promise<void> {
  await waitFor(
    async () => {
      try {
        await fill()
        return true
      } catch {
        for (const response of held) response.end()
        return false
      }
    },
    { what: 'all places to be taken again', timeoutMs: 60_000 },
  )
}

function openClients(t: TestContext, port: number, count: number) {
  const passed: Reply[] = []
  const refused: Reply[] = []
  for (let i = 0; i < count; i++) {
    const connection = new ClientConnection({ port })
    t.after(() => connection.destroy())
    connection.request({ path: '/' }).then(
      (reply) => (reply.status === 200 ? passed : refused).push(reply),
      () => undefined,
    )
  }
  return { passed, refused }
}

test('while the primary hangs each worker lets its share pass, and no request waits for long', async (t) => {
  const route = { path: '/', respond: { body: 'ok' }, rate_limit: { requests: 40, per: '1h', key: 'header:X-Key' } }
  const daemon = await startDaemon(t, { config: proxyConfig([route]) })
  assert.equal(await countPassed(daemon, '/', 50, ['X-Key', 'a']), 40)
  process.kill(daemon.pid, 'SIGSTOP')
  t.after(() => process.kill(daemon.pid, 'SIGCONT'))
  await t.test('a key that was never seen', async (t) => {
    const startedMs = performance.now()
    const passed = await countPassed(daemon, '/', 100, ['X-Key', 'b'])
    t.diagnostic(`${passed} of 100 passed within ${Math.round(performance.now() - startedMs)} ms`)
    assert.ok(passed > 0 && passed <= 40, `${passed}`)
  })
  await t.test('the next does not wait', async () => {
    await countPassed(daemon, '/', 1, ['X-Key', 'c'])
    await countPassed(daemon, '/', 1, ['X-Key', 'c'])
    const startedMs = performance.now()
    assert.equal(await countPassed(daemon, '/', 5, ['X-Key', 'd']), 5)
    t.diagnostic(`5 requests took ${Math.round(performance.now() - startedMs)} ms`)
  })
  process.kill(daemon.pid, 'SIGCONT')
  await t.test('what passed meanwhile is accounted for', async () => {
    await waitFor(async () => (await countPassed(daemon, '/', 10, ['X-Key', 'b'])) === 0, { what: 'the limit to hold' })
    assert.equal(await countPassed(daemon, '/', 10, ['X-Key', 'a']), 0)
  })
})

test('two daemons share a limit in redis, and each counts by itself while it is away', NEEDS_REDIS, async (t) => {
  const redis = await startRedis(t)
  const backend = await startEcho(t)
  const route = routeTo('/', backend, {
    rate_limit: { requests: 40, per: '1h', store: 'redis', key: 'header:X-Key' },
  })
  const config = proxyConfig([route], { redis: { url: redis.url, timeout: '2s' } })
  const daemons = await Promise.all([startDaemon(t, { config }), startDaemon(t, { config })])
  const isFound = (daemon: Daemon, times: number) =>
    daemon.readLog().split('limits are counted in redis').length === 1 + 2 * times
  const count = async (key: string) => {
    const counts = await Promise.all(daemons.map((daemon) => countPassed(daemon, '/', 60, ['X-Key', key])))
    return counts.reduce((sum, passed) => sum + passed, 0)
  }
  await waitFor(() => daemons.every((daemon) => isFound(daemon, 1)), { what: 'redis to be found' })
  assert.equal(await count('a'), 40)

  await redis.kill()
  await waitFor(() => daemons.every((daemon) => daemon.readLog().split('redis is away').length === 3), {
    what: 'redis to be missed',
  })
  const startedMs = performance.now()
  assert.equal(await count('b'), 80)
  t.diagnostic(`120 requests without redis took ${Math.round(performance.now() - startedMs)} ms`)

  await redis.start()
  await waitFor(() => daemons.every((daemon) => isFound(daemon, 2)), { what: 'redis to be found again' })
  assert.equal(await count('c'), 40)
})
