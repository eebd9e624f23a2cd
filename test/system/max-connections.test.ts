import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { startEcho, startHttpBackend } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

/** A backend that answers when it is told to, and knows how many it has at a time. */
async function startSlowBackend(t: TestContext) {
  const waiting: ServerResponse[] = []
  let most = 0
  let answered = 0
  const { host, port } = await startHttpBackend(t, (_, response) => {
    waiting.push(response)
    most = Math.max(most, waiting.length)
  })
  return {
    host,
    port,
    get under() {
      return waiting.length
    },
    get most() {
      return most
    },
    get answered() {
      return answered
    },
    answerOne() {
      const response = waiting.shift()
      if (response === undefined) return
      answered++
      response.end('done')
    },
  }
}

async function visit({ port }: Daemon): Promise<{ status: number; reason: string | undefined }> {
  const { status, headers } = await sendRequest({ port }, { path: '/' })
  return { status, reason: readField(headers, 'x-pyserve-reason') }
}

function limited(backends: readonly { host: string; port: number }[], more: object): object {
  const members = backends.map(({ host, port }) => ({ host, port }))
  return proxyConfig([{ path: '/', name: 'api', backends: members, retries: { attempts: 1 }, ...more }], { workers: 4 })
}

test('no backend has more than its limit over all workers, and the others wait for their turn', async (t) => {
  const backends = await Promise.all([startSlowBackend(t), startSlowBackend(t)])
  const daemon = await startDaemon(t, { config: limited(backends, { max_connections: 3, queue: { timeout: '1m' } }) })
  const visits = Array.from({ length: 40 }, () => visit(daemon))
  await waitFor(() => backends.every(({ under }) => under === 3), { what: 'both backends to be full' })
  const total = () => backends.reduce((sum, { answered }) => sum + answered, 0)
  while (total() < visits.length) {
    await waitFor(() => backends.some(({ under }) => under > 0), { what: 'another request' })
    for (const backend of backends) backend.answerOne()
  }
  assert.deepEqual(new Set((await Promise.all(visits)).map(({ status }) => status)), new Set([200]))
  t.diagnostic(`at most ${backends.map(({ most }) => most).join(' and ')} at a time`)
  for (const { most } of backends) assert.equal(most, 3)
})

test('who finds no room in the queue, or waits too long in it, is answered 503 with its reason', async (t) => {
  const backend = await startSlowBackend(t)
  const config = limited([backend], { max_connections: 1, queue: { size: 0 } })
  const daemon = await startDaemon(t, { config })
  const first = visit(daemon)
  await waitFor(() => backend.under === 1, { what: 'the first' })
  assert.deepEqual(await visit(daemon), { status: 503, reason: 'over_capacity' })
  const refused = await sendRequest({ port: daemon.port }, { path: '/' })
  assert.equal(readField(refused.headers, 'retry-after'), '1')
  daemon.writeConfig(limited([backend], { max_connections: 1, queue: { size: 5, timeout: '200ms' } }))
  await waitFor(async () => (await daemon.status()).version === 2, { what: 'the reload' })
  assert.deepEqual(await visit(daemon), { status: 503, reason: 'over_capacity' })
  backend.answerOne()
  assert.equal((await first).status, 200)
})

test('a tunnel has its place until it ends', async (t) => {
  const echo = await startEcho(t)
  const daemon = await startDaemon(t, { config: limited([echo], { max_connections: 1, queue: { size: 0 } }) })
  const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}/`)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  assert.deepEqual(await visit(daemon), { status: 503, reason: 'over_capacity' })
  socket.close()
  await waitFor(async () => (await visit(daemon)).status === 200, { what: 'the place to be free' })
})

test('places of a worker that is killed are free again', async (t) => {
  const backend = await startSlowBackend(t)
  const config = limited([backend], { max_connections: 2, queue: { size: 0 } })
  const daemon = await startDaemon(t, { config })
  const lost = [visit(daemon), visit(daemon)].map((visited) => visited.catch(() => undefined))
  await waitFor(() => backend.under === 2, { what: 'both' })
  for (const pid of await daemon.workerPids()) process.kill(pid, 'SIGKILL')
  await Promise.all(lost)
  const next = waitFor(async () => (await visit(daemon).catch(() => undefined))?.status === 200, { what: 'a place' })
  await waitFor(() => backend.under > 2, { what: 'the next one' })
  while (backend.under > 0) backend.answerOne()
  await next
})
