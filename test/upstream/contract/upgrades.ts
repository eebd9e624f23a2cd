import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import type { HeaderList } from '../../../src/header-list.ts'
import { type Backend, createBackend } from '../../../src/upstream/backend.ts'
import type { Attempt, AttemptTimeouts } from '../../../src/upstream/engine.ts'
import { openBlackHole } from '../../helpers/black-hole.ts'
import { createCertificate } from '../../helpers/certificates.ts'
import { findClosedPort, type RawConnection, startRawBackend } from '../../helpers/raw-backend.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { createRequest, OK, type Subject, standstill, startEngine } from './setting.ts'

/** The example of RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

const ASKED: HeaderList = [
  ...['Host', 'backend.test', 'connection', 'Upgrade', 'UPGRADE', 'WebSocket'],
  ...['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '13', 'X-Twice', '1', 'x-twice', '2'],
]

const SWITCHED = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: keep-alive, Upgrade',
  'Upgrade: WEBSOCKET',
  `Sec-WebSocket-Accept: ${ACCEPT}`,
  'X-Extra: 1',
  'x-extra: 2',
  '\r\n',
].join('\r\n')

const SHORT_MS = 120

const NOT_A_SWITCH: readonly { name: string; response: string; headers?: HeaderList }[] = [
  { name: 'a wrong accept value', response: SWITCHED.replace(ACCEPT, 'S3pPLMBiTxaQ9kYGzzhZRbK+xOo=') },
  { name: 'no accept value', response: SWITCHED.replace('Sec-WebSocket-Accept', 'X-Accept') },
  { name: 'two accept values', response: SWITCHED.replace('X-Extra: 1', `Sec-WebSocket-Accept: ${ACCEPT}`) },
  { name: 'another protocol', response: SWITCHED.replace('WEBSOCKET', 'h2c') },
  { name: 'two protocols', response: SWITCHED.replace('WEBSOCKET', 'websocket, h2c') },
  { name: 'no protocol', response: SWITCHED.replace('Upgrade: WEBSOCKET', 'X-Upgrade: websocket') },
  { name: 'no Connection: Upgrade', response: SWITCHED.replace('keep-alive, Upgrade', 'keep-alive') },
  {
    name: 'an answer to a request without a key',
    response: SWITCHED,
    headers: ['Host', 'x', 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
  },
]

export function describeUpgrades(subject: Subject): void {
  describe('upgrades', () => {
    test('the request is sent as it is, and after the 101 both sockets speak freely', async (t) => {
      const { ask, raw } = await arrangeUpgrade(t, subject, async (connection) => {
        const { text } = await connection.readHead()
        connection.write(`${SWITCHED}first`)
        connection.write(await connection.readBytes(4))
        connection.socket.end(createHash('md5').update(text, 'latin1').digest('hex'))
      })
      const { sink } = ask({ path: '//ws/../?a?b={}' })
      await sink.over
      const headers = SWITCHED.trim().split('\r\n').slice(1)
      assert.deepEqual(sink.received, {
        status: 101,
        statusText: 'Switching Protocols',
        headers: headers.flatMap((line) => line.split(': ')),
      })
      const socket = takeSocket(sink)
      socket.write('ping')
      const sent = ['GET //ws/../?a?b={} HTTP/1.1']
      for (let i = 0; i < ASKED.length; i += 2) sent.push(`${ASKED[i]}: ${ASKED[i + 1]}`)
      const digest = createHash('md5')
        .update(`${sent.join('\r\n')}\r\n\r\n`, 'latin1')
        .digest('hex')
      assert.equal(sink.first?.toString() + (await readAll(socket)), `firstping${digest}`)
      assert.deepEqual(sink.calls, ['connected', 'switched'])
      await raw.connections[0]?.gone()
    })

    test('bytes of the new protocol that come later are not lost', async (t) => {
      const { ask } = await arrangeUpgrade(t, subject, async (connection) => {
        await connection.readHead()
        await connection.flush(SWITCHED)
        await connection.flush('one')
        connection.socket.end('two')
      })
      const { sink } = ask()
      await sink.over
      await pass(20)
      assert.equal(sink.first?.toString() + (await readAll(takeSocket(sink))), 'onetwo')
    })

    test('the socket has no timer, and an error on it that nobody waits for ends nothing', async (t) => {
      const { ask, raw } = await arrangeUpgrade(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(SWITCHED)
      })
      const { sink } = ask({ timeouts: { connectMs: SHORT_MS, responseMs: SHORT_MS, idleMs: SHORT_MS } })
      await sink.over
      const socket = takeSocket(sink)
      assert.equal((socket as Socket).timeout ?? 0, 0)
      await pass(2 * SHORT_MS)
      assert.equal(socket.destroyed, false)
      raw.connections[0]?.socket.resetAndDestroy()
      await new Promise((resolve) => socket.resume().once('close', resolve))
    })

    test('a connection is never shared with requests, before or after', async (t) => {
      const { ask, raw, engine, backend } = await arrangeUpgrade(t, subject, async (connection) => {
        for (;;) {
          const { text } = await connection.readHead()
          connection.write(/^upgrade:/im.test(text) ? 'HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno' : OK)
        }
      })
      const request = async () => {
        const sink = new RecordingSink()
        engine.request(backend, createRequest({}), sink)
        await sink.over
        assert.equal(sink.text, 'ok')
      }
      await request()
      const { sink } = ask()
      await sink.over
      assert.deepEqual([sink.received?.status, sink.text], [426, 'no'])
      await raw.connections[1]?.gone()
      await request()
      assert.equal(raw.connections.length, 2)
    })

    test('another protocol than WebSocket is accepted where it was asked for', async (t) => {
      const { ask } = await arrangeUpgrade(t, subject, async (connection) => {
        await connection.readHead()
        connection.write('HTTP/1.1 101 Sure\r\nConnection: upgrade\r\nUpgrade: Custom/2\r\n\r\n')
      })
      const { sink } = ask({ headers: ['Host', 'x', 'Connection', 'upgrade', 'Upgrade', 'a, custom/2'] })
      await sink.over
      assert.equal(sink.failure, undefined)
      takeSocket(sink).destroy()
    })

    for (const { name, response, headers } of NOT_A_SWITCH) {
      test(`101 with ${name} is a bad response, and its connection is closed`, async (t) => {
        const { ask, raw } = await arrangeUpgrade(t, subject, async (connection) => {
          await connection.readHead()
          connection.write(`${response}EVIL`)
        })
        const { sink } = ask(headers === undefined ? {} : { headers })
        await sink.over
        assert.deepEqual([sink.failure?.reason, sink.failure?.requestSent], ['bad_response', true])
        await raw.connections[0]?.gone()
      })
    }

    test('a refusal is a plain response, whatever its framing', async (t) => {
      for (const response of [
        'HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nabc',
        'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
        'HTTP/1.1 403 Forbidden\r\nX-Close: 1\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nabc',
      ]) {
        const { ask } = await arrangeUpgrade(t, subject, async (connection) => {
          await connection.readHead()
          if (response.includes('X-Close')) connection.socket.end(response)
          else connection.write(response)
        })
        const { sink } = ask()
        await sink.over
        assert.equal(sink.text, 'abc')
        assert.deepEqual(sink.calls, ['connected', 'head', 'data', 'end'])
        assert.deepEqual(sink.received?.headers.slice(2), ['Set-Cookie', 'a', 'set-cookie', 'b'])
      }
    })

    test('a refusal is held while the sink is full: what is buffered has a bound', async (t) => {
      const chunk = randomBytes(65_536)
      const count = 1_024
      let written = 0
      const { ask } = await arrangeUpgrade(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(`HTTP/1.1 400 Bad\r\nContent-Length: ${chunk.length * count}\r\n\r\n`)
        for (; written < count; written++) await connection.flush(chunk)
      })
      const { sink, attempt } = ask({ holdAtBytes: 1 })
      await sink.held
      await standstill(() => written)
      assert.ok(written < count / 2)
      assert.ok(sink.receivedBytes <= 131_072)
      sink.holdAtBytes = Number.POSITIVE_INFINITY
      sink.onChunk = () => {}
      attempt.resume()
      await sink.over
      assert.equal(sink.receivedBytes, chunk.length * count)
    })

    for (const { name, serve, reason } of [
      { name: 'cut before a byte', serve: cutAfter(''), reason: 'backend_reset' },
      { name: 'cut within the head', serve: cutAfter('HTTP/1.1 101 Sw'), reason: 'backend_reset' },
      { name: 'cut within a refusal', serve: cutAfter(`${OK.slice(0, -1)}`), reason: 'backend_reset' },
      { name: 'answered by garbage', serve: cutAfter('\0\x01\x02'), reason: 'bad_response' },
      { name: 'answered by 099', serve: cutAfter('HTTP/1.1 099 X\r\n\r\n'), reason: 'bad_response' },
      { name: 'not answered', serve: wait, reason: 'response_timeout' },
      { name: 'left within a refusal', serve: stopAfter(OK.slice(0, -1)), reason: 'idle_timeout' },
      { name: 'left within the head', serve: stopAfter('HTTP/1.1 101 S\r\nX: y'), reason: 'response_timeout' },
    ]) {
      test(`an upgrade that is ${name} fails as ${reason} and closes its connection`, async (t) => {
        const { ask, raw } = await arrangeUpgrade(t, subject, serve)
        const { sink } = ask({ timeouts: { responseMs: SHORT_MS, idleMs: SHORT_MS } })
        await sink.over
        assert.deepEqual([sink.failure?.reason, sink.failure?.requestSent], [reason, true])
        await raw.connections[0]?.gone()
      })
    }

    test('an upgrade that cannot connect says so, and that nothing was sent', async (t) => {
      const { ask } = await arrangeUpgrade(t, subject, wait)
      const refused = ask({ backend: at(await findClosedPort()) })
      const stuck = ask({ backend: at(await openBlackHole(t)), timeouts: { connectMs: SHORT_MS } })
      await Promise.all([refused.sink.over, stuck.sink.over])
      const told = [refused, stuck].map(({ sink }) => [sink.failure?.reason, sink.failure?.requestSent])
      assert.deepEqual(told, [
        ['connect_failed', false],
        ['connect_timeout', false],
      ])
    })

    for (const { name, reach } of STAGES) {
      test(`abort ${name} closes the connection, and the sink hears nothing more`, async (t) => {
        const { ask, raw } = await arrangeUpgrade(t, subject, async (connection) => {
          const { line } = await connection.readHead()
          if (line.includes('/refused')) connection.write('HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nabc')
        })
        const asked = ask({ path: '/refused' })
        await reach(asked.sink)
        const before = [...asked.sink.calls]
        asked.attempt.abort()
        asked.attempt.abort()
        await (await raw.connection(0)).gone()
        assert.deepEqual(asked.sink.calls, before)
      })
    }

    test('abort after the switch leaves the socket to its owner', async (t) => {
      const { ask } = await arrangeUpgrade(t, subject, async (connection) => {
        await connection.readHead()
        connection.write(SWITCHED)
        connection.socket.end(await connection.readBytes(4))
      })
      const { sink, attempt } = ask()
      await sink.over
      attempt.abort()
      attempt.resume()
      const socket = takeSocket(sink)
      socket.write('echo')
      assert.equal(await readAll(socket), 'echo')
    })

    test('a backend that is one address of its name is connected to there', async (t) => {
      const raw = await startRawBackend(t, async (connection) => {
        await connection.readHead()
        connection.write(SWITCHED)
      })
      const { ask } = await arrangeUpgrade(t, subject, wait)
      const config = { host: 'does-not-exist.invalid', port: raw.port, tls: undefined, address: '127.0.0.1' }
      const { sink } = ask({ backend: createBackend(config) })
      await sink.over
      takeSocket(sink).destroy()
    })

    test('over TLS the backend is verified, and the socket is the decrypted one', async (t) => {
      const { certPem, keyPem } = createCertificate({ names: ['backend.test'] })
      const serve = async (connection: RawConnection) => {
        await connection.readHead()
        connection.write(SWITCHED)
        connection.socket.end(await connection.readBytes(4))
      }
      const raw = await startRawBackend(t, serve, { cert: certPem, key: keyPem })
      const { ask } = await arrangeUpgrade(t, subject, wait)
      const tls = { verify: true, serverName: 'backend.test', caPem: certPem, certPem: undefined, keyPem: undefined }
      const to = (settings: typeof tls) => ({ backend: createBackend({ ...at(raw.port).config, tls: settings }) })
      for (const distrusted of [ask(to({ ...tls, serverName: 'x.test' })), ask(to({ ...tls, caPem: 'no PEM' }))]) {
        await distrusted.sink.over
        const { failure } = distrusted.sink
        assert.deepEqual([failure?.reason, failure?.requestSent], ['tls_failed', false])
      }
      const { sink } = ask(to(tls))
      await sink.over
      const socket = takeSocket(sink)
      socket.write('echo')
      assert.equal(await readAll(socket), 'echo')
    })

    test('cycles that are aborted at every stage leave no descriptor behind', { timeout: 60_000 }, async (t) => {
      const { ask, raw } = await arrangeUpgrade(t, subject, async (connection) => {
        const { line } = await connection.readHead()
        if (line.includes('/refused')) connection.write('HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nabc')
        if (line.includes('/switch')) connection.write(SWITCHED)
        await connection.gone()
      })
      const cycle = async (index: number) => {
        const stage = STAGES[index % (STAGES.length + 1)]
        const { sink, attempt } = ask({ path: stage === undefined ? '/switch' : '/refused' })
        await (stage?.reach(sink) ?? sink.over)
        attempt.abort()
        sink.socket?.destroy()
      }
      const round = async (count: number) => {
        for (let i = 0; i < count; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => cycle(i + j)))
        await standstill(() => 1 + raw.connections.length)
        while (raw.connections.some(({ socket }) => !socket.destroyed)) await pass(10)
        await pass(10)
        return countSockets()
      }
      const before = await round(100)
      assert.equal(await round(2_000), before)
    })
  })
}

interface AskOptions {
  readonly path?: string
  readonly headers?: HeaderList
  readonly timeouts?: Partial<AttemptTimeouts>
  readonly backend?: Backend
  readonly holdAtBytes?: number
}

const STAGES: readonly { name: string; reach: (sink: RecordingSink) => Promise<unknown> }[] = [
  { name: 'at once', reach: async () => {} },
  { name: 'in the next turn', reach: () => new Promise((resolve) => process.nextTick(resolve)) },
  { name: 'once connected', reach: (sink) => sink.opened },
  { name: 'within a refusal', reach: (sink) => sink.headReceived },
]

async function arrangeUpgrade(t: TestContext, subject: Subject, serve: (connection: RawConnection) => Promise<void>) {
  const raw = await startRawBackend(t, serve)
  const engine = startEngine(t, subject)
  const backend = at(raw.port)
  const ask = (options: AskOptions = {}): { sink: RecordingSink; attempt: Attempt } => {
    const sink = new RecordingSink()
    sink.holdAtBytes = options.holdAtBytes ?? Number.POSITIVE_INFINITY
    const request = createRequest({ headers: ASKED, ...options })
    return { sink, attempt: engine.upgrade(options.backend ?? backend, request, sink) }
  }
  return { raw, engine, backend, ask }
}

function at(port: number): Backend {
  return createBackend({ host: '127.0.0.1', port, tls: undefined })
}

async function wait(): Promise<void> {}

function cutAfter(part: string) {
  return async (connection: RawConnection) => {
    await connection.readHead()
    await connection.flush(part)
    connection.socket.end()
  }
}

function stopAfter(part: string) {
  return async (connection: RawConnection) => {
    await connection.readHead()
    connection.write(part)
  }
}

function takeSocket({ socket, failure }: RecordingSink) {
  assert.ok(socket, `switched, not ${failure?.reason}: ${failure?.cause.message}`)
  return socket
}

async function readAll(socket: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk.toString()
  return text
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((type) => /TCP|TLS|Timeout/.test(type)).length
}
