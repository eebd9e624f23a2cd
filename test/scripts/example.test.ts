import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { waitFor } from '../helpers/wait.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

test('npm start serves the example, and the lines that it prints work', async (t) => {
  const port = await freePort()
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const example = spawn(process.execPath, ['scripts/run-example.ts'], {
    cwd: root,
    env: { ...env, PYSERVE_PORT: String(port), PYSERVE_RUN_DIR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => example.kill('SIGKILL'))
  let output = ''
  for (const stream of [example.stdout, example.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await waitFor(() => output.includes('Ctrl-C ends it'), { what: () => `the example:\n${output}`, timeoutMs: 20_000 })

  const base = `http://127.0.0.1:${port}`
  const users = await fetch(`${base}/api/users?id=1`)
  assert.equal(users.status, 200)
  assert.equal(((await users.json()) as { path: string }).path, '/users?id=1')
  const upload = await fetch(`${base}/api/upload`, { method: 'POST', body: 'hello' })
  assert.equal(upload.status, 200)
  const kept = await fetch(`${base}/api/v2/users`)
  assert.equal(((await kept.json()) as { path: string }).path, '/api/v2/users')
  assert.equal((await fetch(`${base}/secure/`)).status, 200)
  const moved = await fetch(`${base}/home`, { redirect: 'manual' })
  assert.equal(moved.headers.get('location'), '/api/home')
  const missing = await fetch(`${base}/nowhere`)
  assert.equal(missing.headers.get('x-pyserve-reason'), 'no_route')

  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  await once(socket, 'open')
  socket.send('hello')
  const [message] = await once(socket, 'message')
  assert.equal(String(message), 'hello')
  socket.close()
  await once(socket, 'close')

  example.kill('SIGINT')
  const [code] = await once(example, 'exit')
  assert.equal(code, 0)
})
