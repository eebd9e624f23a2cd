import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { BackendTls } from '../../../src/config/config.ts'
import { createBackend } from '../../../src/upstream/backend.ts'
import { createNativeEngine } from '../../../src/upstream/native/native-engine.ts'
import { createCertificate } from '../../helpers/certificates.ts'
import { type RawConnection, startRawBackend } from '../../helpers/raw-backend.ts'
import { RecordingSink } from '../../helpers/recording-sink.ts'
import { send } from '../contract/setting.ts'

const BODY_BYTES = 3_000_000
const TRUSTING: BackendTls = {
  verify: false,
  serverName: undefined,
  caPem: undefined,
  certPem: undefined,
  keyPem: undefined,
}

for (const tls of [undefined, TRUSTING]) {
  const name = tls === undefined ? 'TCP' : 'TLS'

  test(`chunks that a sink keeps are never read over, by no connection (${name})`, async (t) => {
    const { engine, backend } = await arrangeBodies(t, tls)
    const sinks = Array.from({ length: 8 }, (_, i) => {
      const path = i % 2 === 0 ? `/sized/${i}` : `/chunked/${i}`
      return { path, sink: send(engine, backend, { path }).sink }
    })
    for (const { path, sink } of sinks) {
      await sink.over
      assert.equal(sink.failure, undefined)
      assert.ok(Buffer.concat(sink.chunks).equals(bodyOf(path)))
    }
  })

  test(`a sink that holds at each chunk gets all of them, in order (${name})`, async (t) => {
    const { engine, backend } = await arrangeBodies(t, tls)
    for (const path of ['/sized', '/chunked', '/to-close']) {
      const sink = new RecordingSink()
      sink.holdAtBytes = 0
      const { attempt } = send(engine, backend, { path, sink })
      let isHeld = false
      sink.onChunk = (chunk) => {
        assert.equal(isHeld, false, 'nothing comes while it holds')
        isHeld = true
        sink.chunks.push(chunk)
        setImmediate(() => {
          isHeld = false
          attempt.resume()
        })
      }
      await sink.over
      assert.ok(Buffer.concat(sink.chunks).equals(bodyOf(path)))
    }
  })

  test(`while a sink holds nothing is read (${name})`, async (t) => {
    const sockets: Socket[] = []
    const note = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
    diagnostics.subscribe('net.client.socket', note)
    t.after(() => diagnostics.unsubscribe('net.client.socket', note))
    const { engine, backend } = await arrangeBodies(t, tls)
    const sink = new RecordingSink()
    sink.holdAtBytes = 1
    send(engine, backend, { path: '/sized', sink })
    await sink.held
    const [socket] = sockets
    // What came with the bytes that the sink has is decrypted still.
    await takeTurns(5)
    const receivedBytes = socket?.bytesRead ?? 0
    await takeTurns(20)
    assert.equal(socket?.bytesRead, receivedBytes)
    assert.ok(receivedBytes > 0 && receivedBytes < 200_000)
  })

  test(`memory is read into again where the sink has consumed its chunks (${name})`, async (t) => {
    const { engine, backend } = await arrangeBodies(t, tls)
    const countBuffers = async (hasConsumed: boolean) => {
      const sink = Object.assign(new RecordingSink(), { hasConsumed: () => hasConsumed })
      const digest = createHash('sha256')
      const memory = new Set<ArrayBufferLike>()
      sink.onChunk = (chunk) => {
        digest.update(chunk)
        memory.add(chunk.buffer)
      }
      send(engine, backend, { path: '/sized', sink })
      await sink.over
      assert.equal(digest.digest('hex'), createHash('sha256').update(bodyOf('/sized')).digest('hex'))
      return memory.size
    }
    const [consumed, kept] = [await countBuffers(true), await countBuffers(false)]
    assert.ok(consumed < kept / 2, `${consumed} buffers, and ${kept} without a word of the sink`)
  })
}

async function takeTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

const bodies = new Map<string, Buffer>()

function bodyOf(path: string): Buffer {
  const body = bodies.get(path) ?? randomBytes(BODY_BYTES)
  bodies.set(path, body)
  return body
}

async function arrangeBodies(t: TestContext, tls: BackendTls | undefined) {
  const { certPem, keyPem } = createCertificate({ names: ['127.0.0.1'] })
  const serve = async (connection: RawConnection) => {
    for (;;) {
      const [, path = ''] = (await connection.readHead()).line.split(' ')
      const body = bodyOf(path)
      if (path.startsWith('/sized')) {
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
        connection.write(body)
        continue
      }
      if (path === '/to-close') {
        connection.write('HTTP/1.1 200 OK\r\n\r\n')
        connection.socket.end(body)
        return
      }
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 20_011) {
        const chunk = body.subarray(at, at + size)
        connection.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]))
      }
      connection.write('0\r\n\r\n')
    }
  }
  const raw = await startRawBackend(t, serve, tls === undefined ? undefined : { cert: certPem, key: keyPem })
  const engine = createNativeEngine()
  t.after(() => engine.close())
  return { engine, backend: createBackend({ host: '127.0.0.1', port: raw.port, tls }) }
}
