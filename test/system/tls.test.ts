import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { findClosedPort, startEcho } from '../helpers/backends.ts'
import { type CertificateFiles, createAuthority, createCertificate, issueCertificate } from '../helpers/certificates.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { fetchEcho, fetchWebSocketEcho } from '../helpers/echo-client.ts'
import { readField, sendRequest } from '../helpers/http-client.ts'
import { listPeerPorts } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const authority = createAuthority()
const front = issueCertificate(authority, { names: ['localhost'] })
const shop = issueCertificate(authority, { names: ['shop.test', '*.shop.test'] })
const ssl = { enabled: true, cert_file: './cert.pem', key_file: './key.pem' }
const files = {
  'cert.pem': front.certPem,
  'key.pem': front.keyPem,
  'shop.pem': shop.certPem,
  'shop-key.pem': shop.keyPem,
  'ca.pem': authority.certPem,
}
const tls = { ca: authority.certPem, servername: 'localhost' }

test('TLS to backends is verified unless it is said not to be', async (t) => {
  const named = await startEcho(t, { tls: issueCertificate(authority, { names: ['inner.test'] }) })
  const self = await startEcho(t, { tls: createCertificate({ names: ['127.0.0.1'] }) })
  const ca = { ca_file: './ca.pem' }
  const routes = [
    routeTo('/named', named, { ssl: { ...ca, server_name: 'inner.test' } }),
    routeTo('/other-name', named, { ssl: { ...ca, server_name: 'other.test' } }),
    routeTo('/address', named, { ssl: ca }),
    routeTo('/unverified', self, { ssl: { verify: false } }),
    routeTo('/unknown-authority', self, { ssl: true }),
    routeTo('/plain', await startEcho(t), { ssl: { verify: false } }),
  ]
  const { port } = await startDaemon(t, { config: proxyConfig(routes), files })
  for (const [path, serverName] of [
    ['/named', 'inner.test'],
    ['/unverified', undefined],
  ] as const) {
    await t.test(`${path} is reached over HTTPS and WSS`, async () => {
      assert.equal((await fetchEcho({ port }, { path })).serverName, serverName)
      assert.equal((await fetchWebSocketEcho({ port }, path)).serverName, serverName)
    })
  }
  for (const path of ['/other-name', '/address', '/unknown-authority', '/plain']) {
    await t.test(`${path} is answered 502 tls_failed, and a WebSocket likewise`, async () => {
      const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13']
      for (const headers of [[], [...upgrade, 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']]) {
        const reply = await sendRequest({ port }, { path, headers })
        assert.deepEqual([reply.status, readField(reply.headers, 'x-pyserve-reason')], [502, 'tls_failed'])
      }
    })
  }
})

test('the certificate is chosen by the name that the client asks for', async (t) => {
  const certificates = [{ cert_file: './shop.pem', key_file: './shop-key.pem' }]
  const config = proxyConfig(
    [{ path: '/', respond: { status: 200, body: 'ok' } }],
    {},
    { ssl: { ...ssl, certificates } },
  )
  const { port } = await startDaemon(t, { config, files })
  for (const { servername, pair } of [
    { servername: 'localhost', pair: front },
    { servername: 'shop.test', pair: shop },
    { servername: 'a.shop.test', pair: shop },
    { servername: 'A.SHOP.test', pair: shop },
    { servername: 'unknown.test', pair: front },
    { servername: '', pair: front },
  ]) {
    await t.test(`${servername || 'no name'}`, async (t) => {
      const socket = connect({ host: '127.0.0.1', port, servername, ca: authority.certPem, rejectUnauthorized: false })
      t.after(() => socket.destroy())
      await once(socket, 'secureConnect')
      assert.equal(socket.getPeerCertificate().serialNumber, serialOf(pair))
    })
  }
})

test('with ssl.port both are served, and redirect_http sends plain requests over', async (t) => {
  const backend = await startEcho(t)
  for (const redirect of [false, true]) {
    await t.test(`redirect_http: ${redirect}`, async (t) => {
      const port = await findClosedPort()
      const config = proxyConfig([routeTo('/api', backend)], {}, { ssl: { ...ssl, port, redirect_http: redirect } })
      const { listen } = await startDaemon(t, { config, files })
      const plain = listen.find((address) => !address.tls)
      const secure = listen.find((address) => address.tls)
      assert.ok(plain && secure)
      assert.equal((await fetchEcho({ port: secure.port, tls }, { path: '/api/a' })).target, '/a')
      if (!redirect) {
        assert.equal((await fetchEcho({ port: plain.port }, { path: '/api/a' })).target, '/a')
        return
      }
      const reply = await sendRequest({ port: plain.port }, { path: '/api/a?b=%20', headers: ['Host', 'shop.test:80'] })
      assert.equal(reply.status, 308)
      assert.equal(readField(reply.headers, 'location'), `https://shop.test:${secure.port}/api/a?b=%20`)
    })
  }
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a ${maxVersion} session resumes in every worker`, async (t) => {
    const config = proxyConfig([{ path: '/', respond: { status: 200, body: 'ok' } }], {}, { ssl })
    const daemon = await startDaemon(t, { config, files })
    const pids = await daemon.workerPids()
    const first = await handshake(daemon, maxVersion, undefined)
    assert.equal(first.reused, false)
    const seen = new Set<number>()
    for (let i = 0; i < 40 && (i < 8 || seen.size < pids.length); i++) {
      const { reused, pid } = await handshake(daemon, maxVersion, first.session)
      assert.ok(reused, `connection ${i} did not resume`)
      seen.add(pid)
    }
    assert.equal(seen.size, pids.length, 'connections reached one worker only')
  })
}

test('plain HTTP on a TLS port, and TLS on a plain one, are refused and hurt nobody', async (t) => {
  const config = proxyConfig([{ path: '/', respond: { status: 200, body: 'ok' } }], {}, { ssl: { ...ssl, port: 0 } })
  const daemon = await startDaemon(t, { config, files })
  const pids = await daemon.workerPids()
  const plain = daemon.listen.find((address) => !address.tls)
  const secure = daemon.listen.find((address) => address.tls)
  assert.ok(plain && secure)
  await sendRequest({ port: secure.port }, { path: '/' }).then(
    ({ status }) => assert.equal(status, 400),
    () => undefined,
  )
  await assert.rejects(sendRequest({ port: plain.port, tls }, { path: '/' }))
  assert.equal((await sendRequest({ port: plain.port }, { path: '/' })).status, 200)
  assert.equal((await sendRequest({ port: secure.port, tls }, { path: '/' })).status, 200)
  assert.deepEqual(await daemon.workerPids(), pids)
})

interface Handshake {
  readonly reused: boolean
  readonly session: Buffer
  /** Of the worker that had the connection. */
  readonly pid: number
}

async function handshake(
  daemon: Daemon,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
  session: Buffer | undefined,
): Promise<Handshake> {
  const socket = connect({ host: '127.0.0.1', port: daemon.port, ...tls, maxVersion, ...(session && { session }) })
  try {
    const ticket = once(socket, 'session') as Promise<[Buffer]>
    await once(socket, 'secureConnect')
    const pid = await findWorker(daemon, socket)
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'data')
    const reused = socket.isSessionReused()
    return { reused, session: reused ? Buffer.alloc(0) : (await ticket)[0], pid }
  } finally {
    socket.destroy()
  }
}

async function findWorker(daemon: Daemon, { localPort = 0 }: TLSSocket): Promise<number> {
  const pids = await daemon.workerPids()
  return pids.find((pid) => listPeerPorts(pid, daemon.port).has(localPort)) ?? 0
}

function serialOf({ certPem }: CertificateFiles): string {
  return new X509Certificate(certPem).serialNumber
}
