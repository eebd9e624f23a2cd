import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type EchoBackend, startEcho } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { ClientConnection, readField } from '../helpers/http-client.ts'
import { describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const INTERVAL_MS = 300
const CHECK = { interval: `${INTERVAL_MS}ms`, healthy: 2, unhealthy: 3 }
const SLOW_START_MS = 4_000
/** Then circuits wait longer for their next probe than checks take. */
const LONG_WAIT = /"for_ms":8000/g
const MOST_REQUESTS = 10_000
const NAMES = ['a', 'b', 'c'] as const

async function startAll(t: TestContext): Promise<EchoBackend[]> {
  return Promise.all(NAMES.map((name) => startEcho(t, { name })))
}

function backendsOf(all: readonly EchoBackend[]): object[] {
  return all.map(({ port }) => ({ host: '127.0.0.1', port }))
}

async function stateOf(daemon: Daemon, { port }: EchoBackend): Promise<string | undefined> {
  return (await daemon.status()).backends.find(({ name }) => name === `127.0.0.1:${port}`)?.state
}

/** Of the requests of some time, the share that this backend had. */
async function measureShare(one: () => number, others: () => number, requests: number): Promise<number> {
  const before = { one: one(), all: one() + others() }
  await waitFor(() => one() + others() >= before.all + requests, { what: `${requests} requests` })
  return (one() - before.one) / (one() + others() - before.all)
}

test('one of three backends is killed under load and comes back, and no request fails', async (t) => {
  const all = await startAll(t)
  const [victim, ...others] = all
  assert.ok(victim)
  const route = { path: '/', backends: backendsOf(all), health_check: CHECK, slow_start: `${SLOW_START_MS}ms` }
  const daemon = await startDaemon(t, { config: proxyConfig([route]) })
  const load = startLoad({ port: daemon.port }, { path: '/', clients: { upload: 0, websocket: 0 } })
  await waitFor(() => victim.requests > 100, { what: 'load' })

  const killedAtMs = performance.now()
  victim.kill()
  await waitFor(async () => (await stateOf(daemon, victim)) === 'down', { what: 'the killed backend to be down' })
  const downAfterMs = performance.now() - killedAtMs

  const othersCount = () => others.reduce((sum, { requests }) => sum + requests, 0)
  const checksOnly = await startEcho(t, { name: 'a', port: victim.port })
  const startedAtMs = performance.now()
  await waitFor(async () => (await stateOf(daemon, victim)) === 'up', { what: 'the backend to be up' })
  const upAfterMs = performance.now() - startedAtMs
  const early = await measureShare(() => checksOnly.requests, othersCount, 200)
  await waitFor(() => performance.now() - startedAtMs > upAfterMs + SLOW_START_MS, {
    what: 'the end of the slow start',
  })
  const late = await measureShare(() => checksOnly.requests, othersCount, 300)
  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  t.diagnostic(`down after ${downAfterMs.toFixed(0)} ms, up after ${upAfterMs.toFixed(0)} ms`)
  t.diagnostic(`share at first ${(early * 100).toFixed(1)} %, after the slow start ${(late * 100).toFixed(1)} %`)
  assert.deepEqual(listFailures(result), [])
  assert.ok(early < late, `${early} ${late}`)
  assert.ok(late > 0.25 && late < 0.42, String(late))
})

test('when all backends are gone the answer comes at once, few attempts are made, and it is over soon', async (t) => {
  const all = await startAll(t)
  // Not the checks alone bring them back: one that is good lets a request find out.
  const route = { path: '/', backends: backendsOf(all), health_check: { ...CHECK, healthy: 12 } }
  const daemon = await startDaemon(t, { config: proxyConfig([route]) })
  for (const backend of all) backend.kill()

  const connection = new ClientConnection({ port: daemon.port })
  t.after(() => connection.destroy())
  const tookMs: number[] = []
  const reasons: Record<string, number> = {}
  let requests = 0
  for (; (daemon.readLog().match(LONG_WAIT)?.length ?? 0) < all.length && requests < MOST_REQUESTS; requests++) {
    const sentMs = performance.now()
    const { status, headers } = await connection.request({ path: '/' })
    const reason = readField(headers, 'x-pyserve-reason') ?? String(status)
    reasons[reason] = (reasons[reason] ?? 0) + 1
    if (reason === 'no_backend') tookMs.push(performance.now() - sentMs)
    await delay(5)
  }
  const sorted = tookMs.toSorted((x, y) => x - y)
  const [medianMs = Number.POSITIVE_INFINITY, p99Ms = 0] = [0.5, 0.99].map(
    (part) => sorted[Math.floor(sorted.length * part)],
  )
  const attempts = await countAttempts(daemon, requests)
  t.diagnostic(`${JSON.stringify(reasons)}; p99 of no_backend ${p99Ms.toFixed(1)} ms`)
  t.diagnostic(`${attempts} attempts for ${requests} requests: ${(attempts / requests).toFixed(2)}`)
  assert.deepEqual(Object.keys(reasons).sort(), ['connect_failed', 'no_backend'])
  // How late the last of them are says more of the machine that the tests share.
  assert.ok(medianMs < 50, `${medianMs} ms`)
  assert.ok(attempts <= 1.2 * requests, `${attempts} attempts`)
  assert.match(daemon.readLog(), /its circuit is open/)

  await Promise.all(all.map(({ port }, i) => startEcho(t, { name: NAMES[i] ?? '', port })))
  const backAtMs = performance.now()
  await waitFor(async () => (await connection.request({ path: '/' })).status === 200, { what: 'an answer', everyMs: 5 })
  const recoveredMs = performance.now() - backAtMs
  t.diagnostic(`recovered after ${recoveredMs.toFixed(0)} ms, with checks every ${INTERVAL_MS} ms`)
  assert.ok(recoveredMs < 10 * INTERVAL_MS, `${recoveredMs} ms`)
  await waitFor(
    async () => {
      await connection.request({ path: '/' })
      return (await daemon.status()).backends.every(({ state }) => state === 'up')
    },
    { what: 'all backends to be up' },
  )
})

test('what one worker found out a new one knows at birth', async (t) => {
  const all = await startAll(t)
  const [victim] = all
  assert.ok(victim)
  const passive = { failures: 3, eject: '1m' }
  const route = { path: '/', backends: backendsOf(all.slice(0, 2)), passive_health: passive, retries: { attempts: 1 } }
  const config = proxyConfig([route], { workers: 1 })
  const sick = await startEcho(t, {
    name: 'sick',
    answer(_, response) {
      response.writeHead(503).end()
      return true
    },
  })
  Object.assign(route.backends[0] ?? {}, { port: sick.port })
  const daemon = await startDaemon(t, { config })
  const connection = () => new ClientConnection({ port: daemon.port })
  const first = connection()
  t.after(() => first.destroy())
  await waitFor(
    async () => {
      await first.request({ path: '/' })
      return (await stateOf(daemon, sick)) === 'ejected'
    },
    { what: 'the ejection' },
  )
  first.destroy()
  const { requests } = sick
  assert.equal((await daemon.cli('restart')).code, 0)
  const second = connection()
  t.after(() => second.destroy())
  for (let n = 0; n < 10; n++) assert.equal((await second.request({ path: '/' })).status, 200)
  assert.equal(sick.requests, requests)
  assert.equal(await stateOf(daemon, sick), 'ejected')
})

test('one backend that nobody watches is asked again at once when it is back', async (t) => {
  const [backend] = await startAll(t)
  assert.ok(backend)
  const daemon = await startDaemon(t, { config: proxyConfig([{ path: '/', ...backendsOf([backend])[0] }]) })
  backend.kill()
  const connection = new ClientConnection({ port: daemon.port })
  t.after(() => connection.destroy())
  for (let n = 0; n < 20; n++) assert.equal((await connection.request({ path: '/' })).status, 502)
  await startEcho(t, { port: backend.port })
  assert.equal((await connection.request({ path: '/' })).status, 200)
})

/** As the access log has them, when every request is in it. */
async function countAttempts(daemon: Daemon, requests: number): Promise<number> {
  const lines = await waitFor(
    () => {
      const found = daemon
        .readLog()
        .split('\n')
        .filter((line) => line.includes('"method":"GET"'))
      return found.length >= requests && found
    },
    { what: 'the access log' },
  )
  return lines.reduce((sum, line) => {
    const { attempts, backend } = JSON.parse(line) as { attempts?: number; backend?: string }
    return sum + (attempts ?? (backend === undefined ? 0 : 1))
  }, 0)
}
