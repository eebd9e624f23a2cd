import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { BackendTls } from '../../../src/config/config.ts'
import { type Backend, createBackend } from '../../../src/upstream/backend.ts'
import type { UpstreamEngine } from '../../../src/upstream/engine.ts'
import { createAuthority, createCertificate, issueCertificate } from '../../helpers/certificates.ts'
import { type RawBackend, type RawConnection, startRawBackend } from '../../helpers/raw-backend.ts'
import { answering, fetchFrom, OK, type Subject, startEngine } from './setting.ts'

const DEFAULTS: BackendTls = {
  verify: true,
  serverName: undefined,
  caPem: undefined,
  certPem: undefined,
  keyPem: undefined,
}

interface TlsSetting {
  readonly engine: UpstreamEngine
  readonly raw: RawBackend
  /** What clients asked for by SNI, per connection; undefined where they sent none. */
  readonly serverNames: (string | undefined)[]
  at(tls: Partial<BackendTls>, host?: string): Backend
}

export function describeBackendTls(subject: Subject): void {
  describe('TLS to the backend', () => {
    const authority = createAuthority()
    const named = issueCertificate(authority, { names: ['backend.test'] })
    const addressed = issueCertificate(authority, { names: ['127.0.0.1'] })
    const self = createCertificate({ names: ['backend.test', '127.0.0.1'] })
    const expired = issueCertificate(authority, { names: ['backend.test'], expired: true })
    const client = issueCertificate(authority, { names: ['client.test'] })
    const trusted = { caPem: authority.certPem, serverName: 'backend.test' }

    for (const { name, pair, tls, reason } of [
      { name: 'a certificate that nobody trusts', pair: self, tls: {}, reason: 'tls_failed' },
      { name: 'it where verification is off', pair: self, tls: { verify: false }, reason: undefined },
      { name: 'a certificate of the configured authority', pair: named, tls: trusted, reason: undefined },
      { name: 'one for another name', pair: named, tls: { ...trusted, serverName: 'x.test' }, reason: 'tls_failed' },
      {
        name: 'one for a name where an address is dialled',
        pair: named,
        tls: { caPem: authority.certPem },
        reason: 'tls_failed',
      },
      {
        name: 'one for the address that is dialled',
        pair: addressed,
        tls: { caPem: authority.certPem },
        reason: undefined,
      },
      { name: 'one that expired', pair: expired, tls: trusted, reason: 'tls_failed' },
      { name: 'a key that is none', pair: named, tls: { ...trusted, certPem: 'x', keyPem: 'y' }, reason: 'tls_failed' },
    ]) {
      test(`${name}: ${reason ?? 'accepted'}`, async (t) => {
        const { engine, at } = await arrangeTls(t, subject, { cert: pair.certPem, key: pair.keyPem })
        const { failure, text } = await fetchFrom(engine, at(tls), { headers: ['Host', 'backend.test'] })
        assert.equal(failure?.reason, reason)
        assert.equal(failure?.requestSent ?? false, false)
        assert.equal(text, reason === undefined ? 'ok' : '')
      })
    }

    test('the server name is the configured one, whatever Host says, and none where it is an address', async (t) => {
      const pair = { cert: named.certPem, key: named.keyPem }
      const { engine, at, serverNames } = await arrangeTls(t, subject, pair)
      const headers = ['Host', 'evil.test']
      await fetchFrom(engine, at({ serverName: 'backend.test', verify: false }), { headers })
      await fetchFrom(engine, at({ verify: false }, 'localhost'), { headers })
      await fetchFrom(engine, at({ verify: false }), { headers })
      assert.deepEqual(serverNames, ['backend.test', 'localhost', undefined])
    })

    test('a certificate is checked against the configured name, not against Host', async (t) => {
      const { engine, at } = await arrangeTls(t, subject, { cert: named.certPem, key: named.keyPem })
      const backend = at({ caPem: authority.certPem, serverName: 'other.test' })
      const { failure } = await fetchFrom(engine, backend, { headers: ['Host', 'backend.test'] })
      assert.equal(failure?.reason, 'tls_failed')
    })

    test('a configured name may be an address', async (t) => {
      const { engine, at } = await arrangeTls(t, subject, { cert: addressed.certPem, key: addressed.keyPem })
      const tls = { caPem: authority.certPem, serverName: '127.0.0.1' }
      assert.equal((await fetchFrom(engine, at(tls, 'localhost'))).text, 'ok')
    })

    test('backends that differ in their TLS settings share no connection', async (t) => {
      const { engine, at, raw } = await arrangeTls(t, subject, { cert: self.certPem, key: self.keyPem })
      const open = at({ verify: false })
      assert.equal((await fetchFrom(engine, open)).text, 'ok')
      assert.equal((await fetchFrom(engine, at({}))).failure?.reason, 'tls_failed')
      assert.equal((await fetchFrom(engine, open)).text, 'ok')
      assert.ok(raw.connections.length <= 2)
    })

    test('a client certificate is shown where one is set, and its lack is a TLS failure', async (t) => {
      const { engine, at, raw } = await arrangeTls(t, subject, {
        ...{ cert: named.certPem, key: named.keyPem, ca: authority.certPem },
        ...{ requestCert: true, rejectUnauthorized: true },
      })
      const { failure } = await fetchFrom(engine, at(trusted))
      assert.match(failure?.reason ?? '', /^(tls_failed|backend_reset)$/)
      const shown = await fetchFrom(engine, at({ ...trusted, certPem: client.certPem, keyPem: client.keyPem }))
      assert.equal(shown.text, 'ok')
      assert.equal(tlsSocketOf(raw).getPeerCertificate().subject.CN, 'client.test')
    })

    test('a new connection resumes the session of the last', async (t) => {
      const pair = { cert: named.certPem, key: named.keyPem }
      const resumed: boolean[] = []
      const { engine, at, raw } = await arrangeTls(t, subject, pair, async (connection) => {
        resumed.push((connection.socket as TLSSocket).isSessionReused())
        await connection.readHead()
        connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
      })
      const backend = at(trusted)
      for (const _ of [1, 2]) {
        assert.equal((await fetchFrom(engine, backend)).text, 'ok')
        await raw.connections.at(-1)?.gone()
      }
      assert.deepEqual(resumed, [false, true])
    })

    test('a kept connection that turns out dead is replaced', async (t) => {
      const pair = { cert: named.certPem, key: named.keyPem }
      const { engine, at } = await arrangeTls(t, subject, pair, async (connection) => {
        await connection.readHead()
        connection.write(OK)
        await connection.readHead()
        connection.socket.destroy()
      })
      const backend = at(trusted)
      for (const _ of [1, 2, 3]) assert.equal((await fetchFrom(engine, backend)).text, 'ok')
    })

    for (const { name, serve } of [
      {
        name: 'a backend that answers in plain text',
        serve: async ({ socket }: RawConnection) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      },
      {
        name: 'a backend that hangs up',
        serve: async (connection: RawConnection) => {
          await connection.readBytes(1)
          connection.socket.end()
        },
      },
      {
        name: 'a backend that resets',
        serve: async (connection: RawConnection) => {
          await connection.readBytes(1)
          connection.socket.resetAndDestroy()
        },
      },
    ]) {
      test(`${name} in the handshake: tls_failed, and nothing was sent`, async (t) => {
        const raw = await startRawBackend(t, serve)
        const backend = createBackend({ host: '127.0.0.1', port: raw.port, tls: DEFAULTS })
        const { failure } = await fetchFrom(startEngine(t, subject), backend)
        assert.deepEqual([failure?.reason, failure?.requestSent], ['tls_failed', false])
      })
    }
  })
}

async function arrangeTls(
  t: TestContext,
  subject: Subject,
  options: TlsOptions,
  serve: (connection: RawConnection) => Promise<void> = answering(OK),
): Promise<TlsSetting> {
  const serverNames: (string | undefined)[] = []
  const note = async (connection: RawConnection) => {
    const { servername } = connection.socket as TLSSocket & { servername: string | false }
    serverNames.push(servername === false ? undefined : servername)
    await serve(connection)
  }
  const raw = await startRawBackend(t, note, options)
  return {
    engine: startEngine(t, subject),
    raw,
    serverNames,
    at: (tls, host = '127.0.0.1') => createBackend({ host, port: raw.port, tls: { ...DEFAULTS, ...tls } }),
  }
}

function tlsSocketOf({ connections }: RawBackend): TLSSocket {
  return connections.at(-1)?.socket as TLSSocket
}
