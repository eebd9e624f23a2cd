import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HeaderList } from '../../../src/header-list.ts'
import { readResponse } from './response-log.ts'
import { brokenResponses, modelResponses } from './response-model.ts'

/** What node:http makes of a response that is followed by the end of the connection. */
interface NodeResponse {
  readonly head: { readonly status: number; readonly statusText: string; readonly headers: HeaderList }
  readonly body: string
  readonly trailers: HeaderList
  readonly interims: readonly number[]
}

test('whatever is taken for a response, the parser of node:http takes for the same one', async () => {
  let accepted = 0
  const responses = fc.oneof({ arbitrary: brokenResponses, weight: 3 }, { arbitrary: modelResponses, weight: 1 })
  await fc.assert(
    fc.asyncProperty(responses, async ({ method, bytes }) => {
      const { end, restBytes, head, body, trailers, interims } = readResponse(bytes, { method, closes: true })
      if (end !== 'over') return
      const seen = await readWithNode(bytes.slice(0, bytes.length - restBytes), method)
      if (seen === undefined) return
      accepted++
      assert.deepEqual(seen, { head, body, trailers, interims: interims.map(({ status }) => status) })
    }),
    { numRuns: 1_500 },
  )
  assert.ok(accepted > 300, `${accepted} responses were compared`)
})

/** Undefined where it does not like a chunk extension: what is skipped has no meaning that could differ. */
function readWithNode(bytes: string, method: string): Promise<NodeResponse | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeResponse | undefined>()
  const refuse = (error: Error) => (/chunk extension/.test(error.message) ? resolve(undefined) : reject(error))
  const interims: number[] = []
  const request = httpRequest({
    method,
    createConnection: () => createPlayback(bytes),
    headers: { 'Content-Length': '0' },
    maxHeaderSize: 65_536,
  })
  request.on('error', refuse)
  request.on('information', ({ statusCode }) => interims.push(statusCode))
  request.on('response', (response: IncomingMessage) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', refuse)
    response.on('end', () => {
      const { statusCode = 0, statusMessage = '', rawHeaders, rawTrailers } = response
      const head = { status: statusCode, statusText: statusMessage, headers: rawHeaders }
      resolve({ head, body: Buffer.concat(chunks).toString('latin1'), trailers: rawTrailers, interims })
    })
  })
  request.end()
  return promise
}

/** Takes a request, answers it with these bytes, and ends. */
function createPlayback(bytes: string): Duplex {
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      this.push(Buffer.from(bytes, 'latin1'))
      this.push(null)
      done()
    },
  })
}
