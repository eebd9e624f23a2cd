import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { AccessRecord } from '../../src/log/access-log.ts'
import { createLog, type Log, type LogOptions } from '../../src/log/log.ts'
import type { LogSettings } from '../../src/log/settings.ts'

const SETTINGS: LogSettings = {
  level: 'info',
  logFile: undefined,
  consoleOutput: true,
  useColors: true,
  structuredLogs: false,
  access: true,
}

const RECORD: AccessRecord = {
  requestId: 'id-1',
  client: '192.0.2.7',
  method: 'GET',
  host: 'example.com',
  target: '/a\u009b31m?b=1',
  protocol: 'HTTP/1.1',
  route: 'api',
  backend: '127.0.0.1:3000',
  attempts: 1,
  status: 200,
  wouldRefuse: undefined,
  reason: undefined,
  bytesIn: 0,
  bytesOut: 5,
  totalMs: 1.5,
  connectMs: 0,
  firstByteMs: 1,
  tunnel: false,
}

test('the file has one JSON line an event and an exchange, in their order', (t) => {
  const file = join(temporaryDir(t), 'new', 'dir', 'proxy.log')
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  log.access.write(RECORD)
  log.logger.info({ port: 8000 }, 'listening')
  const lines = readLines(file)
  assert.deepEqual(
    lines.map(({ msg, level, role, worker, pid }) => ({ msg, level, role, worker, pid })),
    [
      { msg: 'request', level: 'info', role: 'worker', worker: 3, pid: process.pid },
      { msg: 'listening', level: 'info', role: 'worker', worker: 3, pid: process.pid },
    ],
  )
  assert.equal(lines[0]?.['path'], RECORD.target)
  assert.match(String(lines[1]?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('exchanges reach the file when they stop coming', async (t) => {
  const file = join(temporaryDir(t), 'proxy.log')
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  log.access.write(RECORD)
  assert.equal(readFileSync(file, 'utf8'), '')
  await until(() => readLines(file).length === 1)
})

test('the console shows a person what happened, safe for a terminal', (t) => {
  const stdout = new PassThrough()
  const log = open(t, { stdout, daemon: false })
  log.access.write(RECORD)
  log.logger.warn({ port: 8000 }, 'busy\u001b[2J')
  const [request, event] = String(stdout.read()).split('\n')
  assert.match(
    request ?? '',
    /^\[\S+\] INFO: 200 GET example\.com\/a\\x9b31m\?b=1 1\.50 ms 5 B api -> 127\.0\.0\.1:3000/,
  )
  assert.match(event ?? '', /^\[\S+\] WARN: worker 3: busy\\x1b\[2J \{"port":8000\}$/)
})

test('structured logs are JSON on the console too', (t) => {
  const stdout = new PassThrough()
  const log = open(t, { stdout, daemon: false, logging: { ...SETTINGS, structuredLogs: true } })
  log.access.write(RECORD)
  log.logger.info('listening')
  const messages = String(stdout.read()).trim().split('\n')
  assert.deepEqual(
    messages.map((line) => JSON.parse(line).msg),
    ['request', 'listening'],
  )
})

test('a daemon has no console, and its own file where the configuration names none', (t) => {
  const stdout = new PassThrough()
  const fallbackFile = join(temporaryDir(t), 'daemon.log')
  const log = open(t, { stdout, daemon: true, fallbackFile })
  log.logger.info('listening')
  assert.equal(stdout.read(), null)
  assert.equal(readLines(fallbackFile).length, 1)
  assert.equal(log.file, fallbackFile)
})

test('new settings take effect at once: level, access, file', (t) => {
  const dir = temporaryDir(t)
  const [first, second] = [join(dir, 'first.log'), join(dir, 'second.log')]
  const log = open(t, { logging: { ...SETTINGS, logFile: first } })
  log.logger.debug('before')
  log.access.write(RECORD)
  log.apply({ ...SETTINGS, level: 'debug', access: false, logFile: second })
  log.logger.debug('after')
  log.access.write(RECORD)
  log.flush()
  assert.deepEqual(messagesIn(first), ['request'])
  assert.deepEqual(messagesIn(second), ['after'])
})

test('settings whose file cannot be opened change nothing', (t) => {
  const dir = temporaryDir(t)
  const file = join(dir, 'proxy.log')
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  const wrong = join(file, 'below-a-file.log')
  assert.throws(() => log.check({ ...SETTINGS, logFile: wrong }), { message: new RegExp(wrong) })
  assert.throws(() => log.apply({ ...SETTINGS, level: 'fatal', logFile: wrong }), { message: new RegExp(wrong) })
  log.logger.info('still here')
  assert.deepEqual(messagesIn(file), ['still here'])
})

test('a log file that cannot be opened is an error that names it', (t) => {
  const dir = temporaryDir(t)
  assert.throws(() => open(t, { logging: { ...SETTINGS, logFile: dir } }), {
    message: new RegExp(`^cannot write the log file ${dir}: EISDIR`),
  })
})

test('after a rename lines go to the old file until it is reopened, and none is lost', (t) => {
  const file = join(temporaryDir(t), 'proxy.log')
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  log.logger.info('one')
  renameSync(file, `${file}.1`)
  log.logger.info('two')
  log.access.write(RECORD)
  log.reopen()
  log.logger.info('three')
  assert.deepEqual(messagesIn(`${file}.1`), ['one', 'two', 'request'])
  assert.deepEqual(messagesIn(file), ['three'])
})

test('a full disk costs no line that can be held, and is told when it is over', (t) => {
  t.mock.method(process.stderr, 'write', () => true)
  const dir = temporaryDir(t)
  const file = join(dir, 'proxy.log')
  symlinkSync('/dev/full', file)
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  log.logger.info('one')
  log.logger.info({ much: 'x'.repeat(300_000) }, 'too long to hold')
  log.logger.info('two')
  rmSync(file)
  writeFileSync(file, '')
  log.reopen()
  assert.deepEqual(messagesIn(file), ['one', 'two', 'the log file can be written again'])
  assert.equal(readLines(file).at(-1)?.['lost'], 1)
})

test('an uncaught exception leaves a fatal line and what was gathered', (t) => {
  const file = join(temporaryDir(t), 'proxy.log')
  const { status } = runScript(
    t,
    file,
    `log.access.write(${JSON.stringify(RECORD)}); setImmediate(() => { throw new Error('broken') })`,
  )
  assert.notEqual(status, 0)
  const [request, fatal] = readLines(file)
  assert.equal(request?.['msg'], 'request')
  assert.equal(fatal?.['level'], 'fatal')
  assert.match(JSON.stringify(fatal?.['err']), /broken/)
})

test('process.exit loses nothing', (t) => {
  const file = join(temporaryDir(t), 'proxy.log')
  runScript(t, file, `log.access.write(${JSON.stringify(RECORD)}); process.exit(0)`)
  assert.deepEqual(messagesIn(file), ['request'])
})

test('secrets never reach the log', (t) => {
  const file = join(temporaryDir(t), 'proxy.log')
  const log = open(t, { logging: { ...SETTINGS, logFile: file } })
  const secret = 'c2VjcmV0'
  log.logger.info({ config: { tls: { certificates: [{ keyPem: secret, certFile: 'kept' }] } } }, 'a')
  log.logger.info({ headers: ['Authorization', secret, 'Accept', 'kept'] }, 'b')
  log.logger.info({ ticketKeys: secret, headers: { Cookie: secret, accept: 'kept' } }, 'c')
  const text = readFileSync(file, 'utf8')
  assert.ok(!text.includes(secret), text)
  assert.equal(text.split('kept').length - 1, 3)
})

function open(t: TestContext, options: Partial<LogOptions>): Log {
  const log = createLog({ logging: SETTINGS, role: 'worker', workerId: 3, daemon: true, ...options })
  t.after(() => log.close())
  return log
}

function runScript(t: TestContext, file: string, body: string) {
  const script = join(temporaryDir(t), 'script.ts')
  const source = join(import.meta.dirname, '..', '..', 'src', 'log', 'log.ts')
  const logging = { ...SETTINGS, logFile: file }
  writeFileSync(
    script,
    `import { createLog } from ${JSON.stringify(source)}\n` +
      `const log = createLog({ logging: ${JSON.stringify(logging)}, role: 'primary', daemon: true })\n${body}\n`,
  )
  return spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 20_000 })
}

function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-log-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

function readLines(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function messagesIn(file: string): unknown[] {
  return readLines(file).map(({ msg }) => msg)
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000
  while (!isTrue()) {
    assert.ok(Date.now() < deadlineMs, 'the state was not reached within 5 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
