import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { assertDone, type Daemon, type Site, startDaemon } from '../helpers/daemon.ts'
import { sendRequest, type Target } from '../helpers/http-client.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'
import { WebSocketClient } from '../helpers/websocket-load.ts'

const good = createCertificate({ names: ['localhost'] })
const other = createCertificate({ names: ['localhost'] })
const expired = createCertificate({ names: ['localhost'], expired: true })
const ssl = { enabled: true, cert_file: './cert.pem', key_file: './key.pem' }
const files = { 'cert.pem': good.certPem, 'key.pem': good.keyPem }
const target = (port: number): Target => ({ port, tls: { ca: good.certPem, servername: 'localhost' } })

interface BadInput {
  readonly name: string
  readonly spoil: (site: Site) => void
  /** Part of what `reload` says. */
  readonly says: readonly RegExp[]
}

const BAD_INPUTS: readonly BadInput[] = [
  {
    name: 'broken YAML',
    spoil: (site) => site.writeConfig('server:\n  port: 0\n  reverse_proxy: [ { path: /a\n'),
    says: [/config\.yaml:\d+:\d+/],
  },
  {
    name: 'an unknown key',
    spoil: (site) => site.writeConfig('server:\n  port: 0\n  revers_proxy: []\n'),
    says: [/config\.yaml:3:3/, /revers_proxy/, /reverse_proxy/],
  },
  {
    name: 'a wrong type',
    spoil: (site) => site.writeConfig('server:\n  port: 0\n  backlog: many\n'),
    says: [/config\.yaml:3:12/, /many/],
  },
  {
    name: 'several mistakes',
    spoil: (site) => site.writeConfig('server:\n  port: x\n  bcklog: 3\n  reverse_proxy:\n    - { path: a }\n'),
    says: [/config\.yaml:2:/, /config\.yaml:3:/, /config\.yaml:5:/],
  },
  { name: 'a deleted file', spoil: (site) => rmSync(site.configFile), says: [/config\.yaml/, /does not exist/] },
  {
    name: 'an unreadable file',
    spoil: (site) => {
      rmSync(site.configFile)
      mkdirSync(site.configFile)
    },
    says: [/config\.yaml/, /director/i],
  },
  {
    name: 'a broken certificate',
    spoil: (site) => site.writeFile('cert.pem', 'not a certificate'),
    says: [/config\.yaml:\d+:\d+/, /cert\.pem/],
  },
  {
    name: 'a certificate of another key',
    spoil: (site) => site.writeFile('cert.pem', other.certPem),
    says: [/config\.yaml:\d+:\d+/, /key/],
  },
  {
    name: 'an expired certificate',
    spoil: (site) => {
      site.writeFile('cert.pem', expired.certPem)
      site.writeFile('key.pem', expired.keyPem)
    },
    says: [/config\.yaml:\d+:\d+/, /expired/],
  },
  { name: 'a deleted key', spoil: (site) => rmSync(join(site.dir, 'key.pem')), says: [/config\.yaml:\d+/, /key\.pem/] },
  {
    name: 'an unreadable key',
    spoil: (site) => {
      rmSync(join(site.dir, 'key.pem'))
      mkdirSync(join(site.dir, 'key.pem'))
    },
    says: [/config\.yaml:\d+/, /key\.pem/],
  },
]

test('bad input while running keeps the old state, and reload says where and why', async (t) => {
  const backend = await startEcho(t)
  const config = proxyConfig(
    [
      { path: '/', respond: { status: 200, body: 'as before' } },
      { path: '/ws', host: '127.0.0.1', port: backend.port },
    ],
    {},
    { ssl },
  )
  const daemon = await startDaemon(t, { config, files })
  const tunnel = new WebSocketClient(target(daemon.port), '/ws')
  assert.ok(await tunnel.opened())
  const pids = await daemon.workerPids()

  for (const { name, spoil, says } of BAD_INPUTS) {
    await t.test(name, async (t) => {
      t.after(() => restore(daemon, config))
      spoil(daemon)
      await assertKept(daemon, says)
      restore(daemon, config)
      assertDone(await daemon.cli('reload'))
      await waitFor(async () => (await daemon.status()).lastReload?.ok, { what: 'a good reload in status' })
    })
  }

  await t.test('a busy port', async (t) => {
    t.after(() => restore(daemon, config))
    const busyPort = await occupyPort(t)
    const busy = structuredClone(config) as { server: { port: number } }
    busy.server.port = busyPort
    daemon.writeConfig(busy)
    await assertKept(daemon, [new RegExp(`127\\.0\\.0\\.1:${busyPort}`), /in use/])
    restore(daemon, config)
    assertDone(await daemon.cli('reload'))
  })

  assert.deepEqual(await daemon.workerPids(), pids, 'no worker was replaced')
  assert.equal(String(await tunnel.ask('still there')), 'still there')
  tunnel.socket.terminate()
})

async function assertKept(daemon: Daemon, says: readonly RegExp[]): Promise<void> {
  const { code, stdout, stderr } = await daemon.cli('reload')
  assert.equal(code, 1, `${stdout}${stderr}`)
  for (const pattern of says) assert.match(`${stdout}${stderr}`, pattern)
  // The watch may try the same file once more.
  const { lastReload, workers } = await waitFor(
    async () => {
      const status = await daemon.status()
      return status.state === 'running' && status
    },
    { what: 'the end of every try' },
  )
  assert.equal(lastReload?.ok, false)
  assert.ok(lastReload.problems.length > 0 || lastReload.error !== undefined)
  assert.match((await daemon.cli('status')).stdout, /fail|kept/i)
  assert.ok(workers.every((worker) => worker.state === 'ready'))
  for (let i = 0; i < 4; i++) {
    const reply = await sendRequest(target(daemon.port), { path: '/' })
    assert.deepEqual([reply.status, reply.body.toString()], [200, 'as before'])
  }
}

function restore(site: Site, config: object): void {
  for (const path of [site.configFile, join(site.dir, 'key.pem')]) rmSync(path, { recursive: true, force: true })
  for (const [name, content] of Object.entries(files)) site.writeFile(name, content)
  site.writeConfig(config)
}

async function occupyPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}
