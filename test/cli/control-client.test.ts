import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { askPrimary, NotAnsweringError, NotRunningError } from '../../src/cli/control-client.ts'
import { formatPidFile } from '../../src/cli/pid-file.ts'
import { identifyProcess } from '../../src/cli/process-identity.ts'
import { describeRunDir, type RunDir } from '../../src/cli/run-dir.ts'

test('one line goes out and one line comes back', async (t) => {
  const requests: string[] = []
  const runDir = await serve(t, (connection) => {
    connection.on('data', (chunk) => {
      requests.push(String(chunk))
      connection.write('{"ok":true,"result":')
      connection.end('{"pid":7}}\n')
    })
  })
  assert.deepEqual(await askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), { pid: 7 })
  assert.deepEqual(requests, ['{"command":"status"}\n'])
})

test('an answer counts before the connection is closed', async (t) => {
  const runDir = await serve(t, (connection) => connection.write('{"ok":true,"result":1}\n'))
  assert.equal(await askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), 1)
})

test('a refusal is an error with its words', async (t) => {
  const runDir = await serve(t, (connection) => connection.end('{"ok":false,"error":"a reload is under way"}\n'))
  await assert.rejects(askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'reload' }), {
    message: 'a reload is under way',
    exitCode: 1,
  })
})

test('no socket, and a socket that nobody listens on, mean not running', async (t) => {
  const dir = temporaryDir(t)
  const left = describeRunDir(dir).socket
  const script = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script], { timeout: 20_000 })
  assert.ok(existsSync(left))
  for (const path of [dir, join(dir, 'none')]) {
    const runDir = describeRunDir(path)
    await assert.rejects(askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), (error) => {
      assert.ok(error instanceof NotRunningError)
      assert.equal(error.exitCode, 3)
      return true
    })
  }
})

test('a process without a socket is there, but does not answer', async (t) => {
  const runDir = describeRunDir(temporaryDir(t))
  const self = identifyProcess(process.pid)
  assert.ok(self)
  writeFileSync(runDir.pidFile, formatPidFile(self))
  await assert.rejects(askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), (error) => {
    assert.ok(error instanceof NotAnsweringError)
    assert.equal(error.exitCode, 1)
    assert.match(error.message, new RegExp(`^pid ${process.pid} `))
    return true
  })
})

test('a primary that ends before it answers is told', async (t) => {
  const runDir = await serve(t, (connection) => connection.end('{"ok":tr'))
  await assert.rejects(askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), /ended before it answered/)
})

test('a primary that is silent is not waited for without end', async (t) => {
  const runDir = await serve(t, () => {})
  await assert.rejects(askPrimary({ runDir, timeoutMs: 20 }, { command: 'status' }), /did not answer within 0.02 s/)
})

test('an answer that is no JSON is an error', async (t) => {
  const runDir = await serve(t, (connection) => connection.end('hello\n'))
  await assert.rejects(askPrimary({ runDir, timeoutMs: 5_000 }, { command: 'status' }), /no JSON/)
})

async function serve(t: TestContext, answer: (connection: Socket) => void): Promise<RunDir> {
  const runDir = describeRunDir(temporaryDir(t))
  const connections = new Set<Socket>()
  const server = createServer((connection) => {
    connections.add(connection)
    connection.on('error', () => {})
    answer(connection)
  })
  await new Promise<void>((resolve) => server.listen(runDir.socket, resolve))
  t.after(() => {
    for (const connection of connections) connection.destroy()
    server.close()
  })
  return runDir
}

function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-control-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
