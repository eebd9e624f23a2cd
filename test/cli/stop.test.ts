import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { collect, createDaemon, simpleConfig } from './daemon-fixture.ts'

const options = { timeout: 120_000 }

test('stop waits for what is open, and --force does not', options, async (t) => {
  const backend = await startSilentBackend(t)
  const daemon = createDaemon(t, simpleConfig(`    - { path: /slow, host: 127.0.0.1, port: ${backend.port} }`))
  await daemon.run('start')
  const url = await daemon.url()

  const response = fetch(`${url}/slow`)
  const answer = await backend.nextRequest()
  const stopping = daemon.run('stop')
  await waitFor(async () => (await daemon.status()).state === 'stopping', { what: 'it is draining' })
  answer('late')
  assert.equal(await (await response).text(), 'late')
  assert.equal((await stopping).status, 0)

  await daemon.run('start')
  const lost = assert.rejects(fetch(`${await daemon.url()}/slow`))
  await backend.nextRequest()
  const waiting = daemon.run('stop')
  await waitFor(async () => (await daemon.status()).state === 'stopping', { what: 'it is draining' })
  const forced = await daemon.run('stop', '--force', '--json')
  assert.equal(forced.status, 4)
  assert.equal(JSON.parse(forced.stdout).forced, true)
  await lost
  await waiting
})

test('a second Ctrl-C of stop ends the daemon at once', options, async (t) => {
  const backend = await startSilentBackend(t)
  const daemon = createDaemon(t, simpleConfig(`    - { path: /slow, host: 127.0.0.1, port: ${backend.port} }`))
  await daemon.run('start')
  const lost = assert.rejects(fetch(`${await daemon.url()}/slow`))
  await backend.nextRequest()
  const stop = daemon.spawn(['stop'])
  const result = collect(stop)
  assert.ok(stop.stderr)
  await waitFor(async () => (await daemon.status()).state === 'stopping', { what: 'it is draining' })
  stop.kill('SIGINT')
  await once(stop.stderr, 'data')
  stop.kill('SIGINT')
  const { status, stdout, stderr } = await result
  assert.match(stderr, /still draining; Ctrl-C again ends it at once/)
  assert.match(stdout, /by force/)
  assert.equal(status, 4)
  await lost
})

/** Answers a request when it is told to. */
async function startSilentBackend(t: TestContext) {
  const waiting: ((text: string) => void)[] = []
  const server = createServer((_request, response) => waiting.push((text) => response.end(text))).listen(0, '127.0.0.1')
  t.after(() => server.close().closeAllConnections())
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    nextRequest: async () => {
      await waitFor(() => waiting.length > 0, { what: 'the backend has a request' })
      const answer = waiting.shift()
      assert.ok(answer)
      return answer
    },
  }
}
