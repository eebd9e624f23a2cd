import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib'
import fc from 'fast-check'
import { buildCompression, type CompressionConfig } from '../../src/config/compression-config.ts'
import type { ResponderWatcher } from '../../src/exchange.ts'
import type { Coding } from '../../src/proxy/accept-encoding.ts'
import { createCompressionGate } from '../../src/proxy/compression-gate.ts'
import { waitFor } from '../helpers/wait.ts'
import { arrive, type StagedArrival } from './arrival-stage.ts'

const CODINGS: readonly Coding[] = ['br', 'gzip', 'zstd']
const DECODE = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }
const HEAD = { status: 200, statusText: 'OK', headers: ['Content-Type', 'text/plain'] }

interface Watched extends ResponderWatcher {
  drains: number
  reason: string | undefined
}

interface Stage extends StagedArrival {
  readonly watcher: Watched
}

/** A request that passed the gate. */
function enter(coding: Coding, settings: Partial<CompressionConfig> = {}): Stage {
  const usual = buildCompression(true)
  assert.ok(usual)
  const staged = arrive({ headers: ['Accept-Encoding', coding] })
  assert.equal(createCompressionGate({ ...usual, ...settings }).enter(staged.arrival), undefined)
  const watcher: Watched = {
    drains: 0,
    reason: undefined,
    drained() {
      this.drains++
    },
    finished() {},
    gone(reason) {
      this.reason = reason
    },
  }
  staged.arrival.responder.watch(watcher)
  return { ...staged, watcher }
}

async function sendWhole(coding: Coding, chunks: readonly Buffer[], level?: number): Promise<Buffer> {
  const { arrival, responder } = enter(coding, { level })
  arrival.responder.head(HEAD)
  for (const chunk of chunks) arrival.responder.write(chunk)
  arrival.responder.end(['X-Sum', '1'])
  await waitFor(() => responder.sent.ended, { what: 'the end', everyMs: 1 })
  assert.deepEqual(responder.sent.trailers, ['X-Sum', '1'])
  return responder.sent.body
}

for (const coding of CODINGS) {
  test(`${coding} is decoded to what was sent, on every level`, async () => {
    const body = Buffer.from('all the same words, again and again '.repeat(2_000))
    for (const level of [undefined, 1, 9]) {
      const sent = await sendWhole(coding, [body], level)
      assert.ok(sent.length < body.length / 10, `${sent.length} bytes`)
      assert.deepEqual(DECODE[coding](sent), body)
    }
  })

  test(`${coding} of any chunks is decoded to their sum`, async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        const buffers = parts.map((part) => Buffer.from(part))
        assert.deepEqual(DECODE[coding](await sendWhole(coding, buffers)), Buffer.concat(buffers))
      }),
      { numRuns: 40 },
    )
  })

  for (const { what, type, afterMs } of [
    { what: 'an event', type: 'text/event-stream', afterMs: 0 },
    { what: 'a line of another body', type: 'application/x-ndjson', afterMs: 20 },
  ]) {
    test(`${what} is let out by ${coding} after ${afterMs} ms, though more follows`, async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const { arrival, responder } = enter(coding)
      arrival.responder.head({ ...HEAD, headers: ['Content-Type', type] })
      const decoder = { br: createBrotliDecompress, gzip: createGunzip, zstd: createZstdDecompress }[coding]()
      let read = ''
      decoder.on('data', (chunk: Buffer) => {
        read += chunk
      })
      let passedBytes = 0
      let written = ''
      for (const line of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        for (let i = 0; i < 2; i++) {
          written += line
          arrival.responder.write(Buffer.from(line))
          t.mock.timers.tick(afterMs / 2)
        }
        const deadlineMs = performance.now() + 10_000
        while (read !== written) {
          assert.ok(performance.now() < deadlineMs, `only ${JSON.stringify(read)} was let out`)
          await new Promise(setImmediate)
          const fresh = responder.sent.body.subarray(passedBytes)
          if (fresh.length > 0) decoder.write(fresh)
          passedBytes += fresh.length
        }
      }
      arrival.responder.abort()
      decoder.destroy()
    })
  }

  test(`a client of ${coding} that takes no more stops the sender, until it takes more again`, async () => {
    const { arrival, responder, watcher } = enter(coding)
    arrival.responder.head(HEAD)
    responder.accepts = false
    let sentBytes = 0
    const hasRoom = async () => {
      const { drains } = watcher
      sentBytes += 65_536
      if (arrival.responder.write(randomBytes(65_536))) return true
      const drained = waitFor(() => watcher.drains > drains, { what: 'room', timeoutMs: 500, everyMs: 5 })
      return drained.catch(() => false)
    }
    while (await hasRoom()) assert.ok(sentBytes < 2 << 20, `${sentBytes} bytes were taken`)
    assert.ok(responder.sent.body.length < 1 << 20, `${responder.sent.body.length} bytes came out`)
    const { drains } = watcher
    responder.accepts = true
    responder.watcher?.drained()
    await waitFor(() => watcher.drains > drains, { what: 'room for more' })
    arrival.responder.end([])
    await waitFor(() => responder.sent.ended, { what: 'the end' })
    assert.equal(DECODE[coding](responder.sent.body).length, sentBytes)
  })
}

test('what is not compressed passes by, and may say that it was consumed', () => {
  const { arrival, responder, watcher } = enter('gzip')
  Object.assign(responder, { hasConsumed: () => true })
  arrival.responder.head({ ...HEAD, headers: ['Content-Type', 'image/png'] })
  responder.accepts = false
  assert.equal(arrival.responder.write(Buffer.from('png')), false)
  responder.watcher?.drained()
  assert.equal(watcher.drains, 1)
  assert.equal(arrival.responder.hasConsumed?.(), true)
  arrival.responder.end(['X-Sum', '1'])
  assert.deepEqual([String(responder.sent.body), responder.sent.trailers], ['png', ['X-Sum', '1']])
})

test('chunks that are compressed are not free to be used again', () => {
  const { arrival, responder } = enter('gzip')
  Object.assign(responder, { hasConsumed: () => true })
  arrival.responder.head(HEAD)
  arrival.responder.write(Buffer.from('a'))
  assert.equal(arrival.responder.hasConsumed?.(), false)
  arrival.responder.abort()
})

test('the access log counts the bytes that went out', async () => {
  const { arrival, responder, records } = enter('gzip')
  arrival.responder.head(HEAD)
  const body = Buffer.from('abc'.repeat(10_000))
  arrival.log.bytesOut = body.length
  arrival.responder.write(body)
  arrival.responder.end([])
  await waitFor(() => responder.sent.ended, { what: 'the end' })
  arrival.log.finish(false)
  assert.equal(records[0]?.bytesOut, responder.sent.body.length)
  assert.ok(responder.sent.body.length < 1_000)
})

test('an upgrade is left alone', () => {
  const { arrival, responder } = arrive({ headers: ['Accept-Encoding', 'gzip'] })
  const config = buildCompression(true)
  assert.ok(config)
  const upgrade = { head: arrival.head, responder } as unknown as NonNullable<typeof arrival.upgrade>
  assert.equal(createCompressionGate(config).enter(Object.assign(arrival, { upgrade })), undefined)
  assert.equal(arrival.responder, responder)
})

for (const { name, end } of [
  { name: 'aborted', end: ({ arrival }: Stage) => arrival.responder.abort() },
  { name: 'left by its client', end: ({ responder }: Stage) => responder.watcher?.gone('client_gone') },
]) {
  test(`no encoder outlives a response that is ${name}, whatever it is doing`, async () => {
    const before = encoderBytes()
    const chunk = randomBytes(60_000)
    const stages = CODINGS.flatMap((coding) => Array.from({ length: 60 }, () => enter(coding)))
    for (const [i, stage] of stages.entries()) {
      const { arrival, responder } = stage
      arrival.responder.head(HEAD)
      responder.accepts = i % 2 === 0
      for (let written = 0; written < i % 4; written++) arrival.responder.write(chunk)
      if (i % 3 === 0) arrival.responder.end([])
      if (i % 5 === 0) await new Promise(setImmediate)
      end(stage)
      const { body, ended } = responder.sent
      // Late words of the sender change nothing.
      assert.equal(arrival.responder.write(chunk), true)
      arrival.responder.end([])
      await new Promise(setImmediate)
      assert.deepEqual([responder.sent.body.length, responder.sent.ended], [body.length, ended])
    }
    // They are still referred to: nothing is left to the collector.
    await waitFor(() => encoderBytes() - before < stages.length * 1_024, {
      what: () => `the end of encoders with ${encoderBytes() - before} bytes`,
    })
  })
}

/** What lies outside of the heap, but for buffers. */
function encoderBytes(): number {
  const { external, arrayBuffers } = process.memoryUsage()
  return external - arrayBuffers
}
