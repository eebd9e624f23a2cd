import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startHttpBackend } from '../helpers/backends.ts'
import { createCertificate } from '../helpers/certificates.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'

const BODY_BYTES = 48 * 1024 ** 2
const CLIENTS = 4
const STALL_EVERY_BYTES = 3 * 1024 ** 2

// No two places of it are alike, so that no byte can be exchanged for another unseen.
const body = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(BODY_BYTES))
const expected = createHash('sha256').update(body).digest('hex')

for (const scheme of ['http', 'https']) {
  test(`of large downloads over ${scheme} no byte is overwritten on its way, however slowly clients read`, async (t) => {
    const backend = await startHttpBackend(t, (request, response) => {
      if (request.url === '/sized') response.setHeader('Content-Length', BODY_BYTES)
      response.end(body)
    })
    const { certPem, keyPem } = createCertificate({ names: ['localhost'] })
    const ssl = { enabled: scheme === 'https', cert_file: './cert.pem', key_file: './key.pem' }
    const config = proxyConfig([routeTo('/', backend)], { workers: 1 }, { ssl })
    const { port } = await startDaemon(t, { config, files: { 'cert.pem': certPem, 'key.pem': keyPem } })
    const ask = (path: string) =>
      scheme === 'http'
        ? get({ port, path, host: '127.0.0.1', agent: false })
        : getSecurely({ port, path, host: '127.0.0.1', agent: false, rejectUnauthorized: false })
    const downloads = ['/sized', '/chunked'].flatMap((path) =>
      Array.from({ length: CLIENTS }, (_, i) => hashResponse(ask(path), i % 2 === 1)),
    )
    assert.deepEqual(await Promise.all(downloads), Array(2 * CLIENTS).fill(expected))
  })
}

async function hashResponse(request: ClientRequest, isSlow: boolean): Promise<string> {
  const [response] = await once(request, 'response')
  const hash = createHash('sha256')
  let untilStall = STALL_EVERY_BYTES
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk)
    untilStall -= chunk.length
    if (!isSlow || untilStall > 0) continue
    untilStall = STALL_EVERY_BYTES
    await delay(40)
  }
  return hash.digest('hex')
}
