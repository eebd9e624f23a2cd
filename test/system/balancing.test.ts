import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type EchoBackend, findClosedPort, startEcho } from '../helpers/backends.ts'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho } from '../helpers/echo-client.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'

const ONE_WORKER = { workers: 1 }

async function startThree(t: TestContext): Promise<EchoBackend[]> {
  return Promise.all(['a', 'b', 'c'].map((name) => startEcho(t, { name })))
}

function at({ port }: EchoBackend, more: object = {}): object {
  return { host: '127.0.0.1', port, ...more }
}

async function countAnswers(port: number, path: string, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < requests; n++) {
    const { backend } = await fetchEcho({ port }, { path })
    counts[backend] = (counts[backend] ?? 0) + 1
  }
  return counts
}

test('requests are spread by weight, and a reload changes the weights', async (t) => {
  const [a, b, c] = await startThree(t)
  assert.ok(a && b && c)
  const config = (weight: number) =>
    proxyConfig([{ path: '/', backends: [at(a, { weight }), at(b), at(c, { weight: 0 })] }], ONE_WORKER)
  const daemon = await startDaemon(t, { config: config(3) })
  assert.deepEqual(await countAnswers(daemon.port, '/', 24), { a: 18, b: 6 })
  daemon.writeConfig(config(1))
  assert.deepEqual((await daemon.reload()).routes.changed, ['/'])
  assert.deepEqual(await countAnswers(daemon.port, '/', 24), { a: 12, b: 12 })
})

test('routes that name one upstream share its backends and their round', async (t) => {
  const [a, b, c] = await startThree(t)
  assert.ok(a && b && c)
  const routes = [
    { path: '/x', upstream: 'api' },
    { path: '/y', upstream: 'api' },
  ]
  const config = (third: object[]) =>
    proxyConfig(routes, { ...ONE_WORKER, upstreams: { api: { backends: [at(a), at(b), ...third] } } })
  const daemon = await startDaemon(t, { config: config([]) })
  for (let n = 0; n < 4; n++) {
    assert.equal((await fetchEcho({ port: daemon.port }, { path: '/x' })).backend, 'a')
    assert.equal((await fetchEcho({ port: daemon.port }, { path: '/y' })).backend, 'b')
  }
  const routesText = await daemon.cli('routes')
  assert.match(routesText.stdout, /\/x +upstream api|upstream api/)
  const status = await daemon.status()
  assert.deepEqual(
    status.upstreams.map(({ name, shared, loadBalancing, backends }) => [name, shared, loadBalancing, backends.length]),
    [['api', true, 'round_robin', 2]],
  )
  daemon.writeConfig(config([at(c)]))
  const report = await daemon.reload()
  assert.deepEqual([report.kind, report.changedKeys], ['swap', ['server.upstreams']])
  assert.deepEqual(await countAnswers(daemon.port, '/x', 12), { a: 4, b: 4, c: 4 })
})

test('a cookie leads back to its backend in every worker, after a reload, a rolling restart and a new start', async (t) => {
  const [a, b, c] = await startThree(t)
  assert.ok(a && b && c)
  const config = (weight: number) =>
    proxyConfig([{ path: '/', backends: [at(a, { weight }), at(b), at(c)], sticky: { cookie: 'lb' } }])
  const daemon = await startDaemon(t, { config: config(1) })
  const first = await sendRequest({ port: daemon.port }, { path: '/' })
  const [cookie = ''] = (readField(first.headers, 'set-cookie') ?? '').split(';')
  assert.match(cookie, /^lb=[\w-]{22}$/)
  const { backend: own } = JSON.parse(first.body.toString()) as { backend: string }

  async function assertLed(port: number, when: string): Promise<void> {
    for (let n = 0; n < 8; n++) {
      const { headers, body } = await sendRequest({ port }, { path: '/', headers: ['Cookie', `a=1; ${cookie}`] })
      assert.equal((JSON.parse(body.toString()) as { backend: string }).backend, own, when)
      assert.equal(readField(headers, 'set-cookie'), undefined, when)
    }
  }
  await assertLed(daemon.port, 'at first')
  daemon.writeConfig(config(5))
  await daemon.reload()
  await assertLed(daemon.port, 'after the reload')
  assertDone(await daemon.cli('restart'))
  await assertLed(daemon.port, 'after the rolling restart')
  assertDone(await daemon.cli('stop'))
  await daemon.ended()
  assert.equal(statSync(join(daemon.runDir, 'sticky.key')).mode & 0o777, 0o600)
  assertDone(await daemon.cli('start'))
  const [listen] = (JSON.parse((await daemon.cli('status', '--json')).stdout) as { listen: { port: number }[] }).listen
  await assertLed(listen?.port ?? 0, 'after the new start')
})

test('a backup serves where the others refuse, and nothing where they do not', async (t) => {
  const [a, b] = await startThree(t)
  assert.ok(a && b)
  const spare = at(b, { backup: true })
  const routes = [
    { path: '/well', backends: [at(a), spare] },
    { path: '/dead', backends: [{ host: '127.0.0.1', port: await findClosedPort() }, spare] },
  ]
  const { port } = await startDaemon(t, { config: proxyConfig(routes) })
  assert.deepEqual(await countAnswers(port, '/well', 10), { a: 10 })
  assert.deepEqual(await countAnswers(port, '/dead', 3), { b: 3 })
})

test('a canary gets its share of new clients, keeps them, and a reload changes the share', async (t) => {
  const [a, b] = await startThree(t)
  assert.ok(a && b)
  const upstreams = { stable: { backends: [at(a)] }, canary: { backends: [at(b)] } }
  const config = (weight: number) => {
    const to = [
      { upstream: 'stable', weight: 100 - weight },
      { upstream: 'canary', weight },
    ]
    return proxyConfig([{ path: '/', split: { to, by: 'cookie:group' } }], { upstreams })
  }
  const daemon = await startDaemon(t, { config: config(0) })
  assert.deepEqual(await countAnswers(daemon.port, '/', 20), { a: 20 })
  daemon.writeConfig(config(100))
  assert.equal((await daemon.reload()).ok, true)
  const { headers } = await sendRequest({ port: daemon.port }, { path: '/' })
  const [cookie = ''] = (readField(headers, 'set-cookie') ?? '').split(';')
  daemon.writeConfig(config(0))
  assert.equal((await daemon.reload()).ok, true)
  assert.deepEqual(await countAnswers(daemon.port, '/', 10), { a: 10 })
  for (let n = 0; n < 10; n++) {
    const { backend } = await fetchEcho({ port: daemon.port }, { path: '/', headers: ['Cookie', cookie] })
    assert.equal(backend, 'b')
  }
  assert.match((await daemon.cli('routes')).stdout, /upstream stable x100, upstream canary x0/)
})

test('every algorithm serves through the daemon', async (t) => {
  const backends = (await startThree(t)).map((backend) => at(backend))
  const spreading = ['least_connections', 'power_of_two', 'least_time', 'random']
  const hashing = ['ip_hash', 'path_hash', 'header_hash:x-user']
  const routes = [...spreading, ...hashing].map((algorithm) => ({
    path: `/${algorithm.replace(':', '-')}`,
    backends,
    load_balancing: algorithm,
  }))
  const { port } = await startDaemon(t, { config: proxyConfig(routes, ONE_WORKER) })
  for (const algorithm of spreading) {
    const counts = await countAnswers(port, `/${algorithm}`, 30)
    assert.ok(Object.keys(counts).length > 1, `${algorithm}: ${JSON.stringify(counts)}`)
  }
  for (const algorithm of hashing.slice(0, 2)) {
    const counts = await countAnswers(port, `/${algorithm}`, 10)
    assert.equal(Object.keys(counts).length, 1, `${algorithm}: ${JSON.stringify(counts)}`)
  }
  const byUser = async (user: string) =>
    (await fetchEcho({ port }, { path: '/header_hash-x-user', headers: ['X-User', user] })).backend
  for (const user of ['ann', 'bob', 'eve']) assert.equal(await byUser(user), await byUser(user))
})
