import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import type { WebSocket } from 'ws'
import { spliceWebSockets } from './tunnel-harness.ts'

interface Received {
  readonly data: Buffer
  readonly isBinary: boolean
}

async function nextMessage(socket: WebSocket): Promise<Received> {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
  return { data, isBinary }
}

async function nextClose(socket: WebSocket): Promise<{ code: number; text: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return { code, text: String(reason) }
}

for (const perMessageDeflate of [false, true]) {
  const kind = perMessageDeflate ? 'compressed' : 'plain'
  const options = { perMessageDeflate: perMessageDeflate && { threshold: 0 } }

  for (const { from, to } of [
    { from: 'client', to: 'backend' },
    { from: 'backend', to: 'client' },
  ] as const) {
    test(`text, binary and fragmented messages pass ${kind} from ${from} to ${to}`, async (t) => {
      const pair = await spliceWebSockets(t, { client: options, backend: options })
      assert.equal(pair[to].extensions !== '', perMessageDeflate)
      const text = nextMessage(pair[to])
      pair[from].send('привет, мир')
      assert.deepEqual(await text, { data: Buffer.from('привет, мир'), isBinary: false })

      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256))
      const binary = nextMessage(pair[to])
      pair[from].send(bytes)
      assert.deepEqual(await binary, { data: bytes, isBinary: true })

      const joined = nextMessage(pair[to])
      const ping = once(pair[to], 'ping')
      pair[from].send('one ', { fin: false })
      pair[from].send('two ', { fin: false })
      pair[from].ping('in between')
      pair[from].send('three', { fin: true })
      assert.equal(String((await joined).data), 'one two three')
      assert.equal(String((await ping)[0]), 'in between')
    })
  }

  test(`messages of any size pass ${kind} and come back`, async (t) => {
    const { client, backend } = await spliceWebSockets(t, { client: options, backend: options })
    backend.on('message', (data: Buffer, binary: boolean) => backend.send(data, { binary }))
    const messages = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 70_000, size: 'max' }))
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const answer = nextMessage(client)
        client.send(message)
        const { data, isBinary } = await answer
        assert.equal(isBinary, typeof message !== 'string')
        assert.deepEqual(data, Buffer.from(message as string))
      }),
      { numRuns: 100 },
    )
  })
}

test('pings are answered by the far end, with their payload', async (t) => {
  const { client, backend } = await spliceWebSockets(t)
  for (const socket of [client, backend]) {
    const pong = once(socket, 'pong')
    socket.ping('are you there')
    assert.equal(String((await pong)[0]), 'are you there')
  }
})

for (const { from, to } of [
  { from: 'client', to: 'backend' },
  { from: 'backend', to: 'client' },
] as const) {
  for (const code of [1000, 1001, 1011, 1012, 3000, 4999]) {
    test(`close code ${code} and its text pass from ${from} to ${to} and back`, async (t) => {
      const pair = await spliceWebSockets(t)
      const ends = Promise.all([nextClose(pair[from]), nextClose(pair[to])])
      pair[from].close(code, 'because')
      const [answer, told] = await ends
      assert.deepEqual(told, { code, text: 'because' })
      assert.equal(answer.code, code)
      assert.equal((await pair.closed).reason, 'closed')
    })
  }

  test(`a close without a code passes from ${from} to ${to}`, async (t) => {
    const pair = await spliceWebSockets(t)
    const told = nextClose(pair[to])
    pair[from].close()
    assert.equal((await told).code, 1005)
    assert.equal((await pair.closed).reason, 'closed')
  })

  test(`a ${from} that is terminated ends its ${to} as abnormal`, async (t) => {
    const pair = await spliceWebSockets(t)
    const told = nextClose(pair[to])
    pair[from].terminate()
    assert.equal((await told).code, 1006)
    await pair.closed
  })
}

test('what the backend sends together with its 101 arrives', async (t) => {
  const first = Promise.withResolvers<string>()
  const { client } = await spliceWebSockets(t, {
    onBackend: (backend) => backend.send('hello'),
    onClient: (socket) => socket.once('message', (data: Buffer) => first.resolve(String(data))),
  })
  assert.equal(await first.promise, 'hello')
  assert.equal(client.readyState, client.OPEN)
})
