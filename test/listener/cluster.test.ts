import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { bindSocket } from '../../src/primary/bound-socket.ts'
import { sendRequest } from '../helpers/http-client.ts'

test('a cluster worker listens on a handle by itself: the primary accepts nothing for it', async (t) => {
  const socket = await bindSocket('127.0.0.1', 0)
  t.after(() => socket.close())
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'fixtures', 'cluster-worker.ts'), execArgv: [], args: [] })
  const worker = cluster.fork()
  t.after(() => worker.process.kill('SIGKILL'))
  let asked = false
  cluster.on('listening', () => {
    asked = true
  })
  await once(worker, 'online')
  // The types know sockets and servers only; a bare handle crosses as it is.
  worker.send({ listen: true }, socket.handle as never)
  const [said] = await once(worker, 'message')
  assert.equal(said, 'listening')
  const reply = await sendRequest({ port: socket.port }, { path: '/' })
  assert.equal(String(reply.body), String(worker.process.pid))
  assert.equal(asked, false)
})
