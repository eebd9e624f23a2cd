import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { after, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { type LoggedRequest, readRequests } from './request-log.ts'
import { brokenStreams, lineSoups, modelStreams } from './request-model.ts'

/** What the parser of node:http, strict as it comes, made of some bytes. */
interface NodeLog {
  readonly requests: readonly LoggedRequest[]
  readonly error: string | undefined
}

const REQUEST_EVENTS = ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect']

const server = createServer({ requireHostHeader: false, keepAliveTimeout: 0 })
server.maxHeadersCount = 0
after(() => server.close())

for (const { name, streams, runs } of [
  {
    name: 'well-formed requests',
    streams: modelStreams.map((all) => all.map(({ bytes }) => bytes).join('')),
    runs: 500,
  },
  { name: 'broken requests', streams: brokenStreams, runs: 3_000 },
  { name: 'requests of hostile lines', streams: lineSoups, runs: 6_000 },
]) {
  test(`of ${name} none is taken that node:http refuses, or takes for another one`, async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(streams, async (bytes) => {
        compared += await compare(bytes)
      }),
      { numRuns: runs },
    )
    assert.ok(compared > runs / 20, `${compared} requests were compared`)
  })
}

/** Returns the number of requests that both took. */
async function compare(bytes: string): Promise<number> {
  const own = readRequests(bytes)
  const node = await readWithNode(server, bytes)
  for (const [i, { persists, ...request }] of own.requests.entries()) {
    const other = node.requests[i]
    assert.ok(other !== undefined, `node:http does not take ${request.method} ${request.target}: ${node.error}`)
    const { persists: othersPersists, ...rest } = other
    assert.deepEqual(request, rest)
    // To close a connection that could be kept costs a handshake; to keep one that was to be closed could mix requests.
    assert.ok(!persists || othersPersists, 'node:http closes behind the request')
  }
  // What is not refused must not be a request to one that is still a part of another to us.
  if (own.end === 'open') assert.equal(node.requests.length, own.requests.length)
  return own.requests.length
}

async function readWithNode(reference: Server, bytes: string): Promise<NodeLog> {
  const taken: { message: IncomingMessage; chunks: Buffer[]; persists: boolean }[] = []
  let error: string | undefined
  const take = (message: IncomingMessage, response?: ServerResponse) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('error', () => {})
    taken.push({ message, chunks, persists: response?.shouldKeepAlive === true })
  }
  const refuse = (failure: NodeJS.ErrnoException) => {
    error ??= failure.code ?? failure.message
  }
  for (const event of REQUEST_EVENTS) reference.on(event, take)
  reference.on('clientError', refuse)
  const connection = new Duplex({
    allowHalfOpen: true,
    read() {},
    write: (_chunk, _encoding, done) => done(),
  })
  reference.emit('connection', connection)
  connection.push(Buffer.from(bytes, 'latin1'))
  // It is parsed at once; bodies are told of within the turn.
  await nextTurn()
  await nextTurn()
  for (const event of [...REQUEST_EVENTS, 'clientError']) reference.removeAllListeners(event)
  connection.destroy()
  const requests = taken
    .filter(({ message }) => message.complete)
    .map(({ message, chunks, persists }) => ({
      method: message.method ?? '',
      target: message.url ?? '',
      httpVersion: message.httpVersion,
      headers: message.rawHeaders,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: message.rawTrailers,
      persists,
    }))
  return { requests, error }
}
