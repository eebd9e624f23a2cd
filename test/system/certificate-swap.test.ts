import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { startEcho } from '../helpers/backends.ts'
import { type CertificateFiles, createAuthority, issueCertificate } from '../helpers/certificates.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { countRequests, describeLoad, listFailures, startLoad } from '../helpers/load.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const SWAPS = 10

test(`${SWAPS} certificate swaps under load fail no request, and each shows the new certificate`, async (t) => {
  const authority = createAuthority()
  const pairs = Array.from({ length: SWAPS + 1 }, () => issueCertificate(authority, { names: ['localhost'] }))
  const [first] = pairs
  assert.ok(first)
  const backend = await startEcho(t)
  const timeouts = { drain: '5s', websocket_drain: '5s' }
  const ssl = { enabled: true, cert_file: './cert.pem', key_file: './key.pem' }
  const daemon = await startDaemon(t, {
    config: proxyConfig([routeTo('/load', backend)], { timeouts }, { ssl }),
    files: { 'cert.pem': first.certPem, 'key.pem': first.keyPem },
  })
  const target = { port: daemon.port, tls: { ca: authority.certPem, servername: 'localhost' } }
  const load = startLoad(target, { path: '/load', pauseMs: 5 })
  const tookMs: number[] = []

  for (const [index, pair] of pairs.slice(1).entries()) {
    const before = countRequests(load.result)
    const { generation } = await daemon.status()
    const startedMs = performance.now()
    daemon.writeFile('key.pem', pair.keyPem)
    daemon.writeFile('cert.pem', pair.certPem)
    if (index % 2 === 0) await waitForRoll(daemon, generation)
    else assert.equal((await daemon.reload()).ok, true)
    tookMs.push(Math.round(performance.now() - startedMs))
    for (let i = 0; i < 4; i++) assert.equal(await readPeerSerial(target), serialOf(pair))
    await waitFor(() => countRequests(load.result) > before, { what: 'the load to go on' })
  }

  await waitFor(async () => (await daemon.status()).workers.length === 2, { what: 'the old workers to be gone' })
  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  t.diagnostic(`${SWAPS} swaps, from the renamed files to the last worker: ${tookMs.join(' ')} ms`)
  assert.deepEqual(listFailures(result), [])
  assert.doesNotMatch(daemon.readLog(), /by force/)
})

async function waitForRoll(daemon: Daemon, generation: number): Promise<void> {
  const isOver = async () => {
    const status = await daemon.status()
    return status.state === 'running' && status.generation > generation && status.lastReload?.ok === true
  }
  await waitFor(isOver, { what: 'the roll that the watch triggers', timeoutMs: 20_000 })
}

async function readPeerSerial(target: { port: number; tls: object }): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: target.port, ...target.tls })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

function serialOf({ certPem }: CertificateFiles): string {
  return new X509Certificate(certPem).serialNumber
}
