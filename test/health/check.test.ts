import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import type { BackendTls } from '../../src/config/config.ts'
import type { HealthCheckConfig } from '../../src/config/health-config.ts'
import { check } from '../../src/health/check.ts'
import { createTlsOptions } from '../../src/upstream/tls-options.ts'
import { findClosedPort, startEcho, startFaulty, startHttpBackend, startTcpBackend } from '../helpers/backends.ts'
import { openBlackHole } from '../helpers/black-hole.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { waitFor } from '../helpers/wait.ts'
import { checkOf, placeAt } from './check-config.ts'

const OK = { ok: true } as const
/** What a backend that says nothing is given. */
const SOON = 300

function no(why: string) {
  return { ok: false, why } as const
}

async function checkListener(t: TestContext, listener: RequestListener, settings: Partial<HealthCheckConfig> = {}) {
  const { port } = await startHttpBackend(t, listener)
  return check(placeAt(port), checkOf(settings))
}

for (const { name, status, settings, result } of [
  { name: 'a status within the range is good', status: 204, settings: {}, result: OK },
  { name: 'the ends of a range belong to it', status: 399, settings: {}, result: OK },
  { name: 'one outside of it is not', status: 500, settings: {}, result: no('status 500') },
  {
    name: 'of several ranges one is enough',
    status: 503,
    settings: {
      statuses: [
        [200, 200],
        [503, 503],
      ],
    },
    result: OK,
  },
  { name: 'and one is needed', status: 204, settings: { statuses: [[200, 200]] }, result: no('status 204') },
] as const) {
  test(name, async (t) => {
    const answer: RequestListener = (_, response) => response.writeHead(status).end()
    assert.deepEqual(await checkListener(t, answer, settings as Partial<HealthCheckConfig>), result)
  })
}

for (const { name, body, settings, result } of [
  { name: 'a body with the text is good', body: 'all is well', settings: { body: 'is well' }, result: OK },
  {
    name: 'a body without it is not',
    body: 'nothing is',
    settings: { body: 'is well' },
    result: no('the body does not have the text that is expected'),
  },
  {
    name: 'what comes after 64 KiB is not looked at',
    body: `${'x'.repeat(70_000)}is well`,
    settings: { body: 'is well' },
    result: no('the body does not have the text that is expected'),
  },
  { name: 'a body without end is good enough', body: undefined, settings: {}, result: OK },
]) {
  test(name, async (t) => {
    const answer: RequestListener = (_, response) => {
      if (body !== undefined) response.end(body)
      else {
        const pump = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 1)
        response.on('close', () => clearInterval(pump))
      }
    }
    assert.deepEqual(await checkListener(t, answer, settings), result)
  })
}

test('a check asks for what it is told to, on a connection of its own', async (t) => {
  const seen: string[] = []
  const backend = await startHttpBackend(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`, ...request.rawHeaders)
    response.end()
  })
  const settings = { path: '/healthz?full=1', headers: [['X-Check', 'yes']] as const }
  assert.deepEqual(await check(placeAt(backend.port), checkOf(settings)), OK)
  assert.deepEqual(seen.slice(0, 3), ['GET /healthz?full=1', 'Host', `backend.test:${backend.port}`])
  assert.deepEqual(seen.slice(-2), ['X-Check', 'yes'])
  seen.length = 0
  assert.deepEqual(await check(placeAt(backend.port), checkOf({ host: 'other.test' })), OK)
  assert.equal(seen[2], 'other.test')
  await waitFor(() => backend.connections.size === 0, { what: 'the connections to be closed' })
})

for (const { fault, why } of [
  { fault: 'silent', why: `no answer within ${SOON} ms` },
  { fault: 'closes', why: 'the connection was closed' },
  { fault: 'resets', why: 'the connection was closed' },
  { fault: 'stalls in the body', why: `no answer within ${SOON} ms` },
  { fault: 'ends in the body', why: 'the connection was closed' },
  { fault: 'resets in the body', why: 'the connection was closed' },
  { fault: 'is no HTTP', why: /Parse Error/ },
] as const) {
  test(`a backend that ${fault === 'silent' ? 'is silent' : fault} fails its check`, async (t) => {
    const backend = await startFaulty(t, fault)
    const isSilent = typeof why === 'string' && why.startsWith('no answer')
    const result = await check(placeAt(backend.port), checkOf(isSilent ? { timeoutMs: SOON } : {}))
    assert.equal(result.ok, false)
    const said = result.ok ? '' : result.why
    assert.match(said, typeof why === 'string' ? new RegExp(`^${why}$`) : why)
    await waitFor(() => backend.connections.size === 0, { what: 'the connection to be closed' })
  })
}

test('a head that is too long fails its check', async (t) => {
  const result = await checkListener(t, (_, response) => response.setHeader('X', 'x'.repeat(20_000)).end())
  assert.equal(result.ok, false)
})

test('an upgrade that nobody asked for fails its check', async (t) => {
  const backend = await startTcpBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'))
  })
  assert.deepEqual(await check(placeAt(backend.port), checkOf()), no('status 101'))
  await waitFor(() => backend.connections.size === 0, { what: 'the connection to be closed' })
})

for (const kind of ['http', 'tcp', 'tls'] as const) {
  test(`nobody listens: a check by ${kind} fails`, async () => {
    const place = placeAt(await findClosedPort())
    assert.deepEqual(await check(place, checkOf({ kind })), no('the connection was refused'))
  })

  test(`a connection that is not made in time: a check by ${kind} fails`, async (t) => {
    const place = placeAt(await openBlackHole(t))
    assert.deepEqual(await check(place, checkOf({ kind, timeoutMs: SOON })), no(`no answer within ${SOON} ms`))
  })
}

test('a check by tcp is content with a connection', async (t) => {
  const backend = await startFaulty(t, 'silent')
  assert.deepEqual(await check(placeAt(backend.port), checkOf({ kind: 'tcp' })), OK)
  await waitFor(() => backend.connections.size === 0, { what: 'the connection to be closed' })
})

test('a check by tls is not', async (t) => {
  const backend = await startTcpBackend(t, (socket) => {
    socket.once('data', () => socket.end('no TLS here'))
  })
  assert.equal((await check(placeAt(backend.port), checkOf({ kind: 'tls' }))).ok, false)
})

for (const kind of ['http', 'tls'] as const) {
  test(`a check by ${kind} uses the TLS settings of the backend`, async (t) => {
    const certificate = createCertificate({ names: ['secure.test'] })
    const backend = await startEcho(t, { tls: certificate })
    const tls: BackendTls = {
      verify: true,
      serverName: 'secure.test',
      caPem: certificate.certPem,
      certPem: undefined,
      keyPem: undefined,
    }
    const run = (settings: Partial<BackendTls>) => {
      const tlsOptions = () => createTlsOptions('127.0.0.1', { ...tls, ...settings })
      return check(
        placeAt(backend.port, { tlsOptions }),
        checkOf({ kind, body: kind === 'http' ? '"serverName":"secure.test"' : undefined }),
      )
    }
    assert.deepEqual(await run({}), OK)
    assert.equal((await run({ caPem: undefined })).ok, false)
    assert.equal((await run({ serverName: 'other.test' })).ok, false)
    assert.equal((await run({ certPem: 'no certificate', keyPem: 'no key' })).ok, false)
  })
}

test('a name that does not resolve fails its check', async () => {
  const result = await check(placeAt(1, { host: 'name.invalid' }), checkOf())
  assert.match(result.ok ? '' : result.why, /^the name /)
})
