import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

const GOOD = `server:
  reverse_proxy:
    - { path: /api, host: 127.0.0.1, port: 3000 }
    - { path: /ws, host: 127.0.0.1, port: 8080 }
`
const BAD = `server:
  reverse_proxy:
    - { pth: /api, host: 127.0.0.1, port: 99999 }
`

for (const { name, args, stderr } of [
  {
    name: 'an unknown command names the nearest',
    args: ['strat'],
    stderr: /unknown command 'strat'\n\(Did you mean start\?\)/,
  },
  { name: 'an unknown option names the nearest', args: ['stop', '--forse'], stderr: /\(Did you mean --force\?\)/ },
  { name: 'a port that is none', args: ['start', '-p', '70000'], stderr: /'70000' is invalid\. It must be 0 to 65535/ },
  { name: 'an option without its value', args: ['start', '--host'], stderr: /argument missing/ },
  { name: 'an argument too many', args: ['status', 'now'], stderr: /too many arguments/ },
  { name: 'no command at all', args: [], stderr: /^Usage: pyserve-ts/ },
]) {
  test(`usage: ${name}, exit code 2`, async () => {
    const result = await pyserve(args)
    assert.match(result.stderr, stderr)
    assert.equal(result.stdout, '')
    assert.equal(result.status, 2)
  })
}

test('a usage error is one JSON document with --json', async () => {
  const { status, stdout, stderr } = await pyserve(['--json', 'strat'])
  assert.match(JSON.parse(stdout).error, /^unknown command 'strat'/)
  assert.equal(JSON.parse(stdout).ok, false)
  assert.equal(stderr, '')
  assert.equal(status, 2)
})

test('every command has a help text with examples', async () => {
  const { stdout } = await pyserve(['--help'])
  const listed = stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)
  const commands = [...listed].map(([, name]) => name).filter((name) => name !== 'help')
  assert.deepEqual(commands, [
    'start',
    'run',
    'stop',
    'reload',
    'restart',
    'status',
    'check',
    'routes',
    'backends',
    'pause',
    'resume',
    'hash-password',
    'logs',
    'echo',
  ])
  await Promise.all(
    commands.map(async (command = '') => {
      const help = await pyserve([command, '--help'])
      assert.match(help.stdout, new RegExp(`Examples:\\n {2}\\$ pyserve-ts ${command}`))
      assert.equal(help.status, 0)
    }),
  )
})

test('the version is that of the package', async () => {
  assert.match((await pyserve(['-v'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('check accepts a good file and counts what is in it', async (t) => {
  const dir = workDir(t, { 'config.yaml': GOOD })
  const { status, stdout, stderr } = await pyserve(['check'], dir)
  assert.match(stdout, /^ok: config\.yaml: 2 routes, 1 listen address, \d+ workers?\n$/)
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('check shows every problem with its place and exits 1', async (t) => {
  const dir = workDir(t, { 'site.yaml': BAD })
  for (const args of [
    ['check', 'site.yaml'],
    ['check', '-c', 'site.yaml'],
    ['-c', 'site.yaml', 'check'],
  ]) {
    const { status, stdout, stderr } = await pyserve(args, dir)
    assert.match(
      stderr,
      /^site\.yaml:3:9: error: .*"pth".*\n +- \{ pth: .*\n {10}\^\n {2}hint: did you mean "path"\?$/m,
    )
    assert.match(stderr, /^site\.yaml:3:43: error: .*99999/m)
    assert.match(stderr, /^site\.yaml: 2 errors$/m)
    assert.equal(stdout, '')
    assert.equal(status, 1)
  }
})

test('check --json is one document, good or bad', async (t) => {
  const dir = workDir(t, { 'config.yaml': GOOD, 'bad.yaml': BAD })
  assert.deepEqual(JSON.parse((await pyserve(['check', '--json'], dir)).stdout), { ok: true, problems: [] })
  const bad = JSON.parse((await pyserve(['check', 'bad.yaml', '--json'], dir)).stdout)
  assert.equal(bad.ok, false)
  assert.deepEqual(
    bad.problems.map(({ severity, line }: Record<string, unknown>) => ({ severity, line })),
    [
      { severity: 'error', line: 3 },
      { severity: 'error', line: 3 },
    ],
  )
})

test('check takes the flags of start into account', async (t) => {
  const dir = workDir(t, { 'config.yaml': GOOD })
  const { status, stderr } = await pyserve(['check', '--ssl', '--cert', 'none.pem', '--key', 'none.pem'], dir)
  assert.match(stderr, /none\.pem/)
  assert.equal(status, 1)
})

test('check --schema prints a JSON Schema', async () => {
  const schema = JSON.parse((await pyserve(['check', '--schema'])).stdout)
  assert.ok(schema.properties.server.properties.reverse_proxy)
})

test('start refuses a bad file with its problems and leaves nothing behind', async (t) => {
  const dir = workDir(t, { 'config.yaml': BAD })
  const { status, stderr } = await pyserve(['start', '--run-dir', 'run'], dir)
  assert.match(stderr, /config\.yaml:3:9: error/)
  assert.equal(status, 1)
  const json = JSON.parse((await pyserve(['start', '--run-dir', 'run', '--json'], dir)).stdout)
  assert.equal(json.ok, false)
  assert.equal(json.problems.length, 2)
})

test('what needs an instance exits 3 where there is none', async (t) => {
  const dir = workDir(t, { 'config.yaml': GOOD })
  await Promise.all(
    ['stop', 'reload', 'restart', 'status', 'routes', 'backends', 'pause api', 'resume api'].map(async (command) => {
      const { status, stdout, stderr } = await pyserve([...command.split(' '), '--run-dir', 'run', '--json'], dir)
      assert.equal(JSON.parse(stdout).running, false, command)
      assert.equal(stderr, '')
      assert.equal(status, 3, command)
    }),
  )
  const { status, stderr } = await pyserve(['stop', '--run-dir', 'run'], dir)
  assert.match(stderr, /not running/)
  assert.equal(status, 3)
})

test('logs without a log file says which is missing', async (t) => {
  const dir = workDir(t, { 'config.yaml': GOOD })
  const { status, stderr } = await pyserve(['logs', '--run-dir', 'run'], dir)
  assert.match(stderr, /there is no log file .*run\/pyserve-ts\.log/)
  assert.equal(status, 1)
})

test('logs shows the end of the configured file', async (t) => {
  const dir = workDir(t, {
    'config.yaml': `${GOOD}logging: { log_file: ./p.log }\n`,
    'p.log': '{"a":1}\n{"a":2}\n{"a":3}\n',
  })
  assert.equal((await pyserve(['logs', '-n', '2', '--run-dir', 'run'], dir)).stdout, '{"a":2}\n{"a":3}\n')
})

test('echo prints its URL first, answers, and ends on SIGTERM', async (t) => {
  const echo = spawn(process.execPath, [cli, 'echo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => echo.kill('SIGKILL'))
  const url = await firstLine(echo)
  const reply = (await (await fetch(`${url}x?y=1`)).json()) as Record<string, unknown>
  assert.equal(reply['path'], '/x?y=1')
  echo.kill('SIGTERM')
  const [code] = await once(echo, 'exit')
  assert.equal(code, 0)
})

test('echo says in one line why it cannot listen', async (t) => {
  const echo = spawn(process.execPath, [cli, 'echo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => echo.kill('SIGKILL'))
  const { port } = new URL(await firstLine(echo))
  const second = await pyserve(['echo', '--port', port])
  assert.match(second.stderr, /^error: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/)
  assert.equal(second.status, 1)
})

/** Runs one command line to its end. */
async function pyserve(args: readonly string[], cwd = tmpdir()) {
  const child = spawn(process.execPath, [cli, ...args], { cwd, timeout: 30_000, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { stdout, stderr, status: status as number | null }
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout)
  const [line] = await once(createInterface(child.stdout), 'line')
  return String(line)
}

function workDir(t: TestContext, files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-cli-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}
