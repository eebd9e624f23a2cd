import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { TlsConfig } from '../../src/config/config.ts'
import { createTlsOptions } from '../../src/listener/tls.ts'
import { type CertificateFiles, createCertificate } from '../helpers/certificates.ts'
import { ClientConnection } from '../helpers/http-client.ts'
import { waitFor } from '../helpers/wait.ts'
import { answer, type Harness, type HarnessOptions, startListener, watch } from './listener-harness.ts'

const KEYS = randomBytes(48).toString('base64')
const ALERT = 21
const APPLICATION_DATA = 23
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'

const FIRST = pair(['first.example', 'both.example'])
const EXACT = pair(['exact.example', 'both.example'])
const WILD = pair(['*.wild.example', 'WILD.example'])

test('requests over TLS are exchanges like others', async (t) => {
  const harness = await startTls(t, { exchange: (exchange) => answer(exchange, String(exchange.client.encrypted)) })
  const client = new ClientConnection({ port: harness.port, tls: trusting(FIRST) })
  t.after(() => client.destroy())
  for (let i = 0; i < 3; i++) {
    const reply = await client.request({ path: '/' })
    assert.equal(String(reply.body), 'true')
    assert.ok(reply.kept)
  }
  assert.equal(harness.exchanges[0]?.client.remoteAddress, '127.0.0.1')
  assert.equal(harness.exchanges[0]?.client.remotePort, client.socket.localPort)
  assert.equal(harness.listener.connections, 1)
})

for (const { name, serverName, expected } of [
  { name: 'a name gets its certificate', serverName: 'exact.example', expected: EXACT },
  { name: 'a name in capitals gets it too', serverName: 'EXACT.example', expected: EXACT },
  { name: 'a wildcard covers one label', serverName: 'a.wild.example', expected: WILD },
  { name: 'a wildcard does not cover two labels', serverName: 'a.b.wild.example', expected: FIRST },
  { name: 'a wildcard does not cover its own parent', serverName: 'other.example', expected: FIRST },
  { name: 'an unknown name gets the first certificate', serverName: 'unknown.example', expected: FIRST },
  { name: 'no name gets the first certificate', serverName: '', expected: FIRST },
  { name: 'of two certificates for a name the earlier counts', serverName: 'both.example', expected: FIRST },
]) {
  test(name, async (t) => {
    const harness = await startTls(t)
    const socket = await secure(t, harness, { servername: serverName, rejectUnauthorized: false })
    assert.equal(socket.getPeerCertificate().subject.CN, commonName(expected))
  })
}

test('sessions resume at a listener that has the same keys, whatever certificate was chosen', async (t) => {
  for (const servername of ['first.example', 'a.wild.example']) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const one = await startTls(t, { exchange: (exchange) => answer(exchange) })
      const other = await startTls(t, { exchange: (exchange) => answer(exchange) })
      const options = { servername, maxVersion, rejectUnauthorized: false }
      const again = await secure(t, other, { ...options, session: await takeSession(t, one, options) })
      assert.ok(again.isSessionReused(), `${servername} ${maxVersion}`)
    }
  }
})

test('sessions do not resume where the keys differ', async (t) => {
  const one = await startTls(t, { exchange: (exchange) => answer(exchange) })
  const other = await startTls(t, {}, randomBytes(48).toString('base64'))
  const options = { servername: 'first.example', rejectUnauthorized: false }
  const again = await secure(t, other, { ...options, session: await takeSession(t, one, options) })
  assert.equal(again.isSessionReused(), false)
})

test('versions below the configured one are refused, and counted', async (t) => {
  const harness = await startTls(t, {}, KEYS, 'TLSv1.3')
  const options = { rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const
  await assert.rejects(secure(t, harness, options))
  await waitFor(() => harness.listener.failedHandshakes === 1, { what: 'the count' })
  assert.equal((await secure(t, harness, { rejectUnauthorized: false })).getProtocol(), 'TLSv1.3')
})

test('HTTP/1.1 is what ALPN settles on', async (t) => {
  const harness = await startTls(t)
  const options = { rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] }
  assert.equal((await secure(t, harness, options)).alpnProtocol, 'http/1.1')
  await assert.rejects(secure(t, harness, { ...options, ALPNProtocols: ['h2'] }))
})

test('plain HTTP on the TLS port is told so in plain', async (t) => {
  const harness = await startTls(t)
  const client = harness.raw(GET)
  assert.match(await client.rest(), /^HTTP\/1\.1 400 .*\r\nX-Pyserve-Reason: bad_request\r\n/s)
  assert.equal(harness.rejected.length, 1)
  assert.equal(harness.rejected[0]?.client.remotePort, client.socket.localPort)
  await waitFor(() => harness.listener.connections === 0, { what: 'the close' })
})

test('noise on the TLS port harms nobody', async (t) => {
  const harness = await startTls(t, { exchange: (exchange) => answer(exchange) })
  for (let i = 0; i < 20; i++) harness.raw(randomBytes(300))
  harness.raw().socket.destroy()
  await waitFor(() => harness.listener.failedHandshakes >= 20, { what: 'the failures' })
  assert.equal(harness.rejected.length, 0)
  const client = new ClientConnection({ port: harness.port, tls: trusting(FIRST) })
  t.after(() => client.destroy())
  assert.equal((await client.request({ path: '/' })).status, 200)
})

test('a handshake that does not come is not waited for', async (t) => {
  const harness = await startTls(t, { timeouts: { headerMs: 300 } })
  const client = harness.raw()
  await waitFor(() => harness.listener.connections === 1, { what: 'the connection' })
  assert.equal(await client.rest(), '')
  await waitFor(() => harness.listener.connections === 0, { what: 'the close' })
})

test('a secured connection on which nothing is said is closed without a word', async (t) => {
  const harness = await startTls(t, { timeouts: { headerMs: 300 } })
  const socket = await secure(t, harness, { rejectUnauthorized: false })
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  await once(socket, 'close')
  assert.equal(received, '')
  assert.equal(harness.rejected.length, 0)
})

test('a slow head over TLS is answered 408', async (t) => {
  const harness = await startTls(t, { timeouts: { headerMs: 300 } })
  const socket = await secure(t, harness, { rejectUnauthorized: false })
  socket.write('GET / HTTP/1.1\r\n')
  const [chunk] = await once(socket, 'data')
  assert.match(String(chunk), /^HTTP\/1\.1 408 /)
})

test('a client that does not read over TLS is cut off', async (t) => {
  const harness = await startTls(t, { timeouts: { writeIdleMs: 300 } })
  const socket = await secure(t, harness, { rejectUnauthorized: false })
  socket.pause()
  socket.write(GET)
  const { responder } = await harness.exchange(0)
  const told = watch(responder)
  responder.head({ status: 200, statusText: 'OK', headers: [] })
  responder.write(Buffer.alloc(64 * 1024 * 1024))
  await waitFor(() => told[0], { what: 'the cut' })
  assert.deepEqual(told, ['gone idle_timeout'])
})

for (const { name, isWhole } of [
  { name: 'a response that ends with the connection ends with close_notify', isWhole: true },
  { name: 'an aborted response does not, so that it cannot be taken for a whole one (RFC 8446 §6.1)', isWhole: false },
]) {
  test(`over TLS ${name}`, async (t) => {
    const harness = await startTls(t)
    const records: number[] = []
    const relay = await startRelay(t, harness.port, records)
    // In TLS 1.2 the kind of a record can be read from outside.
    const socket = await secure(t, { port: relay }, { rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.0\r\n\r\n')
    const { responder } = await harness.exchange(0)
    responder.head({ status: 200, statusText: 'OK', headers: [] })
    responder.write(Buffer.from('hello'))
    await waitFor(() => records.at(-1) === APPLICATION_DATA, { what: 'the response' })
    if (isWhole) responder.end([])
    else responder.abort()
    socket.resume()
    await once(socket, 'close')
    assert.equal(records.at(-1), isWhole ? ALERT : APPLICATION_DATA)
  })
}

test('a drain waits for secured connections, and for handshakes until the grace is over', async (t) => {
  const harness = await startTls(t, { exchange: (exchange) => answer(exchange) })
  const client = new ClientConnection({ port: harness.port, tls: trusting(FIRST) })
  await client.request({ path: '/' })
  const handshake = harness.raw()
  await waitFor(() => harness.listener.connections === 2, { what: 'the connections' })
  const startedMs = performance.now()
  let isOver = false
  void harness.listener.drain(400).then(() => {
    isOver = true
  })
  const reply = await client.request({ path: '/' })
  assert.equal(reply.kept, false)
  client.destroy()
  assert.equal(isOver, false)
  await handshake.rest()
  await waitFor(() => isOver, { what: 'the end of the drain' })
  assert.ok(performance.now() - startedMs < 5_000, 'handshakes are not waited for until they time out')
})

test('to destroy a listener cuts handshakes too', async (t) => {
  const harness = await startTls(t)
  const handshake = harness.raw()
  await waitFor(() => harness.listener.connections === 1, { what: 'the connection' })
  harness.listener.destroy()
  await handshake.rest()
})

test('the limit of connections is told over TLS', async (t) => {
  const harness = await startTls(t, { limits: { connections: 1 }, exchange: (exchange) => answer(exchange) })
  const first = await secure(t, harness, { rejectUnauthorized: false })
  const second = new ClientConnection({ port: harness.port, tls: trusting(FIRST) })
  t.after(() => second.destroy())
  assert.equal((await second.request({ path: '/' })).status, 503)
  first.destroy()
})

test('an upgrade over TLS is handed over', async (t) => {
  const harness = await startTls(t)
  const socket = await secure(t, harness, { rejectUnauthorized: false })
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  const upgrade = await harness.upgrade(0)
  assert.equal(upgrade.client.encrypted, true)
  const handed = upgrade.accept({ status: 101, statusText: 'Switching Protocols', headers: [] })
  t.after(() => handed.socket.destroy())
  handed.socket.on('data', (chunk: Buffer) => handed.socket.write(`<${chunk}>`))
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  socket.write('ping')
  await waitFor(() => received.endsWith('\r\n\r\n<ping>'), { what: 'the echo' })
})

test('keys of the wrong length and pairs that do not match are refused', () => {
  const certificates = [FIRST]
  const config: TlsConfig = { certificates, minVersion: 'TLSv1.2' }
  assert.throws(() => createTlsOptions(config, randomBytes(47).toString('base64'), 0), /47 bytes, not 48/)
  assert.throws(() => createTlsOptions({ ...config, certificates: [] }, KEYS, 0), /no certificate/)
  const mixed = { ...FIRST, keyPem: EXACT.keyPem }
  assert.throws(() => createTlsOptions({ ...config, certificates: [FIRST, mixed] }, KEYS, 0), /key values mismatch/)
})

function pair(names: readonly string[]): TlsConfig['certificates'][number] {
  const files: CertificateFiles = createCertificate({ names })
  return { ...files, names: names.map((name) => name.toLowerCase()) }
}

function commonName({ names }: { names: readonly string[] }): string | undefined {
  return names[0]
}

function trusting({ certPem }: { certPem: string }): ConnectionOptions {
  return { ca: certPem, servername: 'first.example' }
}

async function startTls(
  t: TestContext,
  options: HarnessOptions = {},
  keys = KEYS,
  minVersion: TlsConfig['minVersion'] = 'TLSv1.2',
): Promise<Harness> {
  const certificates = [FIRST, EXACT, WILD]
  return startListener(t, { ...options, tls: createTlsOptions({ certificates, minVersion }, keys, 0) })
}

/** The last ticket that came with a handshake, or behind it. */
async function takeSession(t: TestContext, { port }: Harness, options: ConnectionOptions): Promise<Buffer> {
  const socket = connect({ ...options, socket: connectTcp(port, '127.0.0.1') })
  t.after(() => socket.destroy())
  let session: Buffer | undefined
  socket.on('session', (ticket) => {
    session = ticket
  })
  socket.write(GET)
  await once(socket, 'data')
  return waitFor(() => session, { what: 'a session' })
}

async function secure(t: TestContext, { port }: { port: number }, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...options, socket: connectTcp(port, '127.0.0.1') })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** Notes the type of every record that the listener sends (RFC 5246 §6.2.1). */
async function startRelay(t: TestContext, port: number, types: number[]): Promise<number> {
  const server = createServer((client) => {
    const upstream = connectTcp(port, '127.0.0.1')
    let buffer = Buffer.alloc(0)
    upstream.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk])
      while (buffer.length >= 5 && buffer.length >= 5 + buffer.readUInt16BE(3)) {
        types.push(buffer.readUInt8(0))
        buffer = buffer.subarray(5 + buffer.readUInt16BE(3))
      }
    })
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      t.after(() => socket.destroy())
    }
    client.pipe(upstream).pipe(client)
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
