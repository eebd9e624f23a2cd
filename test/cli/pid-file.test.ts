import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claimInstance, findInstance } from '../../src/cli/instance.ts'
import { claimPidFile, formatPidFile, parsePidFile, readPidFile, releasePidFile } from '../../src/cli/pid-file.ts'
import { identifyProcess, isAlive } from '../../src/cli/process-identity.ts'
import { describeRunDir } from '../../src/cli/run-dir.ts'
import { waitFor } from '../helpers/wait.ts'

test('the first line is the pid alone', (t) => {
  const { pidFile } = setUp(t)
  assert.equal(claimPidFile(pidFile), undefined)
  assert.equal(readFileSync(pidFile, 'utf8').split('\n')[0], String(process.pid))
  assert.deepEqual(readPidFile(pidFile), identifyProcess(process.pid))
})

for (const { name, text, pid } of [
  { name: 'a pid file of another program', text: '123\n', pid: 123 },
  { name: 'a pid file without a line break', text: '123', pid: 123 },
  { name: 'an empty pid file', text: '', pid: undefined },
  { name: 'a pid that addresses a process group', text: '-1\n', pid: undefined },
  { name: 'pid 0', text: '0\n', pid: undefined },
  { name: 'text', text: 'hello\n', pid: undefined },
]) {
  test(`${name} ${pid === undefined ? 'names nobody' : 'is understood'}`, () => {
    assert.equal(parsePidFile(text)?.pid, pid)
  })
}

test('a process that lives keeps its pid file', (t) => {
  const { pidFile } = setUp(t)
  const parent = identifyProcess(process.ppid)
  assert.ok(parent)
  writeFileSync(pidFile, formatPidFile(parent))
  assert.deepEqual(claimPidFile(pidFile), parent)
  releasePidFile(pidFile)
  assert.deepEqual(readPidFile(pidFile), parent)
})

test('a pid that another process has got since does not count', (t) => {
  const { pidFile } = setUp(t)
  writeFileSync(pidFile, formatPidFile({ pid: process.ppid, startTime: 'long ago' }))
  assert.equal(claimPidFile(pidFile), undefined)
  assert.equal(readPidFile(pidFile)?.pid, process.pid)
})

test('a process that has ended is not alive, even where its parent has not noticed', async (t) => {
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => parent.kill('SIGKILL'))
  const [line] = await once(parent.stdout, 'data')
  const identity = identifyProcess(Number(String(line)))
  assert.ok(identity)
  process.kill(identity.pid, 'SIGKILL')
  await waitFor(() => !isAlive(identity), { what: 'its end' })
  assert.ok(process.kill(identity.pid, 0), 'it is still there as a zombie')
})

test('nothing is left beside the pid file, and nothing at all after the release', (t) => {
  const { pidFile, dir } = setUp(t)
  writeFileSync(pidFile, 'rubbish')
  claimPidFile(pidFile)
  assert.deepEqual(readdirSync(dir), ['pyserve-ts.pid'])
  releasePidFile(pidFile)
  assert.deepEqual(readdirSync(dir), [])
})

test('of many processes that find a stale pid file one gets it', { timeout: 60_000 }, async (t) => {
  const { dir, pidFile } = setUp(t)
  writeFileSync(pidFile, formatPidFile({ pid: process.ppid, startTime: 'long ago' }))
  const source = (name: string) => JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'cli', name))
  const script = join(dir, 'claim.ts')
  writeFileSync(
    script,
    `import { claimInstance } from ${source('instance.ts')}
     import { describeRunDir } from ${source('run-dir.ts')}
     process.stdin.once('data', () => claimInstance(describeRunDir(${JSON.stringify(dir)})).then(
       () => console.log('won'), (error) => console.log(error.message)))
     process.stdin.once('end', () => process.exit())
     console.log('ready')`,
  )
  const children = Array.from({ length: 8 }, () =>
    spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  t.after(() => children.map((child) => child.kill('SIGKILL')))
  await Promise.all(children.map((child) => once(child.stdout, 'data')))
  const answers = children.map((child) => once(child.stdout, 'data'))
  for (const child of children) child.stdin.write('go\n')
  const lines = (await Promise.all(answers)).map((chunks) => String(chunks[0]).trim())
  assert.equal(lines.filter((line) => line === 'won').length, 1, lines.join('\n'))
  for (const line of lines) assert.match(line, /^won$|already running|just being started/)
  const exits = children.map((child) => once(child, 'exit'))
  for (const child of children) child.stdin.end()
  await Promise.all(exits)
})

test('an instance that was killed leaves the way free', async (t) => {
  const { dir } = setUp(t)
  const runDir = describeRunDir(dir)
  const first = await claimInstance(runDir)
  assert.equal(findInstance(runDir)?.pid, process.pid)
  await assert.rejects(claimInstance(runDir), { exitCode: 1, message: new RegExp(`pid ${process.pid}$`) })
  first.release()
  assert.ok(!existsSync(runDir.pidFile))
  const second = await claimInstance(runDir)
  second.release()
})

function setUp(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-pid-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return { dir, pidFile: join(dir, 'pyserve-ts.pid') }
}
