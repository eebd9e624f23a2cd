import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { startNameServer } from '../helpers/name-server.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

/** A backend that tells its address and the Host it was asked for. */
async function listenAt(t: TestContext, address: string, port: number): Promise<number> {
  const server = createServer((request, response) => response.end(`${address} ${request.headers.host}`))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** One port on three addresses of loopback; taken by others on one of them, another is tried. */
async function listenAtThree(t: TestContext): Promise<number> {
  for (let tries = 0; ; tries++) {
    const port = await listenAt(t, '127.0.0.1', 0)
    try {
      await Promise.all(['127.0.0.2', '127.0.0.3'].map((address) => listenAt(t, address, port)))
      return port
    } catch (error) {
      if (tries > 5) throw error
    }
  }
}

/** What some requests are answered, without repetition. */
async function listAnswers(port: number, path: string): Promise<string[]> {
  const answers = new Set<string>()
  for (let n = 0; n < 8; n++) {
    const { body, headers } = await sendRequest({ port }, { path })
    answers.add(readField(headers, 'x-pyserve-reason') ?? body.toString())
  }
  return [...answers].sort()
}

test('each address of a name is a backend, a change is taken in time, and new workers know it from the first request', async (t) => {
  const port = await listenAtThree(t)
  const names = await startNameServer(t, { 'app.test': { ttl: 1, addresses: ['127.0.0.1', '127.0.0.2'] } })
  const route = { path: '/', backends: [{ host: 'app.test', port }] }
  const daemon = await startDaemon(t, { config: proxyConfig([route], { name_servers: [names.address] }) })
  const answerOf = (address: string) => `${address} app.test:${port}`
  assert.deepEqual(await listAnswers(daemon.port, '/'), ['127.0.0.1', '127.0.0.2'].map(answerOf))
  names.names.set('app.test', { ttl: 1, addresses: ['127.0.0.2', '127.0.0.3'] })
  const isNew = async () =>
    (await listAnswers(daemon.port, '/')).join() === ['127.0.0.2', '127.0.0.3'].map(answerOf).join()
  await waitFor(isNew, { what: 'the new addresses in every worker' })
  names.isSilent = true
  assertDone(await daemon.cli('restart'))
  assert.deepEqual(await listAnswers(daemon.port, '/'), ['127.0.0.2', '127.0.0.3'].map(answerOf))
})

test('a name that does not exist is down and warned about once, until it does', async (t) => {
  const port = await listenAtThree(t)
  const names = await startNameServer(t, {})
  const route = { path: '/', backends: [{ host: 'late.test', port }] }
  const daemon = await startDaemon(t, { config: proxyConfig([route], { name_servers: [names.address] }) })
  assert.deepEqual(await listAnswers(daemon.port, '/'), ['no_backend'])
  names.names.set('late.test', { ttl: 1, addresses: ['127.0.0.1'] })
  const answer = `127.0.0.1 late.test:${port}`
  await waitFor(async () => (await listAnswers(daemon.port, '/')).includes(answer), { what: 'the backend' })
  const warnings = daemon.readLog().match(/a backend does not resolve/g)
  assert.equal(warnings?.length, 1)
  assert.match(daemon.readLog(), /a backend resolves again/)
})

test('the SRV records of a service are its backends, and a reload brings another', async (t) => {
  const port = await listenAtThree(t)
  const service = (target: string, priority: number) => ({ target, priority, weight: 1, port })
  const names = await startNameServer(t, {
    '_http._tcp.test': { services: [service('one.test', 1), service('two.test', 1), service('spare.test', 2)] },
    'one.test': { addresses: ['127.0.0.1', '127.0.0.2'] },
    'two.test': { addresses: [] },
    'spare.test': { addresses: ['127.0.0.3', '127.0.0.1'] },
    '_other._tcp.test': { services: [service('spare.test', 1)] },
  })
  const config = (srv: string) => proxyConfig([{ path: '/', backends: [{ srv }] }], { name_servers: [names.address] })
  const daemon = await startDaemon(t, { config: config('_http._tcp.test') })
  const ofOne = ['127.0.0.1', '127.0.0.2'].map((address) => `${address} one.test:${port}`)
  assert.deepEqual(await listAnswers(daemon.port, '/'), ofOne)
  daemon.writeConfig(config('_other._tcp.test'))
  assert.equal((await daemon.reload()).ok, true)
  const ofSpare = ['127.0.0.1', '127.0.0.3'].map((address) => `${address} spare.test:${port}`)
  assert.deepEqual(await listAnswers(daemon.port, '/'), ofSpare)
})
