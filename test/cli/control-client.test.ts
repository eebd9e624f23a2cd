import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { askPrimary, NotRunningError } from '../../src/cli/control-client.ts'

test('one line goes out and one line comes back', async (t) => {
  const requests: string[] = []
  const socket = await serve(t, (connection) => {
    connection.on('data', (chunk) => {
      requests.push(String(chunk))
      connection.write('{"ok":true,"result":')
      connection.end('{"pid":7}}\n')
    })
  })
  assert.deepEqual(await askPrimary({ socket, timeoutMs: 5_000 }, { command: 'status' }), { pid: 7 })
  assert.deepEqual(requests, ['{"command":"status"}\n'])
})

test('an answer counts before the connection is closed', async (t) => {
  const socket = await serve(t, (connection) => connection.write('{"ok":true,"result":1}\n'))
  assert.equal(await askPrimary({ socket, timeoutMs: 5_000 }, { command: 'status' }), 1)
})

test('a refusal is an error with its words', async (t) => {
  const socket = await serve(t, (connection) => connection.end('{"ok":false,"error":"a reload is under way"}\n'))
  await assert.rejects(askPrimary({ socket, timeoutMs: 5_000 }, { command: 'reload' }), {
    message: 'a reload is under way',
    exitCode: 1,
  })
})

test('no socket, and a socket that nobody listens on, mean not running', async (t) => {
  const dir = temporaryDir(t)
  const left = join(dir, 'left.sock')
  const script = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script], { timeout: 20_000 })
  assert.ok(existsSync(left))
  for (const socket of [left, join(dir, 'none.sock')]) {
    await assert.rejects(askPrimary({ socket, timeoutMs: 5_000 }, { command: 'status' }), (error) => {
      assert.ok(error instanceof NotRunningError)
      assert.equal(error.exitCode, 3)
      return true
    })
  }
})

test('a primary that ends before it answers is told', async (t) => {
  const socket = await serve(t, (connection) => connection.end('{"ok":tr'))
  await assert.rejects(askPrimary({ socket, timeoutMs: 5_000 }, { command: 'status' }), /ended before it answered/)
})

test('a primary that is silent is not waited for without end', async (t) => {
  const socket = await serve(t, () => {})
  await assert.rejects(askPrimary({ socket, timeoutMs: 20 }, { command: 'status' }), /did not answer within 0.02 s/)
})

test('an answer that is no JSON is an error', async (t) => {
  const socket = await serve(t, (connection) => connection.end('hello\n'))
  await assert.rejects(askPrimary({ socket, timeoutMs: 5_000 }, { command: 'status' }), /no JSON/)
})

async function serve(t: TestContext, answer: (connection: Socket) => void): Promise<string> {
  const path = join(temporaryDir(t), 'control.sock')
  const connections = new Set<Socket>()
  const server = createServer((connection) => {
    connections.add(connection)
    connection.on('error', () => {})
    answer(connection)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => {
    for (const connection of connections) connection.destroy()
    server.close()
  })
  return path
}

function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-control-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
