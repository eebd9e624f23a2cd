import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as requestPlainly, type ServerResponse } from 'node:http'
import { request as requestSecurely, Agent as SecureAgent } from 'node:https'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startHttpBackend } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const BODY_BYTES = 32 * 1024 ** 2
const SMALL_BYTES = 16 * 1024
const CLIENTS = 4
const STALL_EVERY_BYTES = 3 * 1024 ** 2

// No two places of it are alike, so that no byte can be exchanged for another unseen.
const body = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(BODY_BYTES))

interface Front {
  ask(method: string, path: string, content?: Buffer, chunked?: boolean): Promise<IncomingMessage>
}

for (const scheme of ['http', 'https'] as const) {
  test(`of large downloads over ${scheme} no byte is overwritten on its way, however slowly clients read`, async (t) => {
    const front = await startFront(t, scheme, (request, response) => {
      if (request.url === '/sized') response.setHeader('Content-Length', BODY_BYTES)
      response.end(body)
    })
    const downloads = ['/sized', '/chunked'].flatMap((path) =>
      Array.from({ length: CLIENTS }, async (_, i) => hash(await front.ask('GET', path), i % 2 === 1)),
    )
    assert.deepEqual(await Promise.all(downloads), Array(2 * CLIENTS).fill(hashOf(body)))
  })

  test(`of large uploads over ${scheme} no byte is overwritten on its way, however slowly backends read`, async (t) => {
    const front = await startFront(t, scheme, async (request, response) => {
      response.end(await hash(request, request.url === '/slow'))
    })
    const uploads = ['/slow', '/fast'].flatMap((path) =>
      Array.from({ length: CLIENTS }, async (_, i) => textOf(await front.ask('PUT', path, body, i % 2 === 1))),
    )
    assert.deepEqual(await Promise.all(uploads), Array(2 * CLIENTS).fill(hashOf(body)))
  })

  test(`of many small uploads over ${scheme} each arrives as it was sent`, async (t) => {
    const front = await startFront(t, scheme, async (request, response) => {
      // Some are answered before they are read, so that what is left of them is thrown away.
      if (request.url === '/early') response.end('early')
      else response.end(await hash(request, false))
    })
    const uploads = Array.from({ length: 64 }, async (_, client) => {
      for (let i = 0; i < 20; i++) {
        const at = (client * 20 + i) * SMALL_BYTES
        const content = body.subarray(at, at + SMALL_BYTES)
        const isEarly = i % 7 === 3
        const answer = await textOf(await front.ask('POST', isEarly ? '/early' : '/', content, i % 2 === 1))
        assert.equal(answer, isEarly ? 'early' : hashOf(content))
      }
    })
    await Promise.all(uploads)
  })
}

async function startFront(
  t: TestContext,
  scheme: 'http' | 'https',
  serve: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Front> {
  const backend = await startHttpBackend(t, (request, response) => void serve(request, response))
  const { certPem, keyPem } = createCertificate({ names: ['localhost'] })
  const ssl = { enabled: scheme === 'https', cert_file: './cert.pem', key_file: './key.pem' }
  const config = proxyConfig([routeTo('/', backend)], { workers: 1 }, { ssl })
  const { port } = await startDaemon(t, { config, files: { 'cert.pem': certPem, 'key.pem': keyPem } })
  const options = { keepAlive: true, rejectUnauthorized: false }
  const agent = scheme === 'http' ? new Agent(options) : new SecureAgent(options)
  const request = scheme === 'http' ? requestPlainly : requestSecurely
  t.after(() => agent.destroy())
  return {
    async ask(method, path, content, chunked = false) {
      const headers = content === undefined || chunked ? {} : { 'Content-Length': content.length }
      const sent = request({ port, method, path, host: '127.0.0.1', agent, headers })
      if (content !== undefined && chunked) sent.write(content.subarray(0, 5_000))
      sent.end(chunked ? content?.subarray(5_000) : content)
      const [response] = await once(sent, 'response')
      return response
    },
  }
}

async function hash(message: IncomingMessage, isSlow: boolean): Promise<string> {
  const sum = createHash('sha256')
  let untilStall = STALL_EVERY_BYTES
  for await (const chunk of message as AsyncIterable<Buffer>) {
    sum.update(chunk)
    untilStall -= chunk.length
    if (!isSlow || untilStall > 0) continue
    untilStall = STALL_EVERY_BYTES
    await delay(40)
  }
  return sum.digest('hex')
}

async function textOf(message: IncomingMessage): Promise<string> {
  return Buffer.concat((await message.toArray()) as Buffer[]).toString()
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
