import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { test } from 'node:test'
import { takeConnections } from '../../src/listener/accepting.ts'
import { ClientInput } from '../../src/listener/client-input.ts'
import { waitFor } from '../helpers/wait.ts'

test('this Node hands connections over before they are sockets, and bytes go to a buffer that is used again', async (t) => {
  const server = createServer(() => assert.fail('a socket of its own'))
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const shared = Buffer.alloc(65_536)
  const received: string[] = []
  const taken = takeConnections(server, (handle) => {
    const input = new ClientInput(shared)
    input.receiver = {
      isInBody: false,
      hasConsumed: false,
      received(bytes, start, end) {
        assert.equal(bytes, shared)
        received.push(bytes.toString('latin1', start, end))
        return true
      },
    }
    const socket = input.open(handle)
    assert.ok(socket instanceof Socket)
    t.after(() => socket.destroy())
  })
  assert.ok(taken)
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.after(() => client.destroy())
  client.write('one')
  await waitFor(() => received.join('') === 'one', { what: 'the first bytes' })
  client.write('two')
  await waitFor(() => received.join('') === 'onetwo', { what: 'the second' })
})

test('a server that does not show them keeps its connections', () => {
  assert.equal(
    takeConnections(createServer(), () => {}),
    false,
  )
})
