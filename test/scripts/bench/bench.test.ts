import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PROGRAMS, whyMissing } from '../../../scripts/bench/contender.ts'
import type { Results } from '../../../scripts/bench/results.ts'
import { findProcesses } from '../../helpers/processes.ts'
import { waitFor } from '../../helpers/wait.ts'

const launcher = join(import.meta.dirname, '..', '..', '..', 'scripts', 'bench.mjs')
// Under CI=true `npm test` does not begin without them.
const limits = { skip: whyMissing(PROGRAMS.nginx) ?? whyMissing(PROGRAMS.wrk) ?? false, timeout: 100_000 }
const SHORT = ['--quick', '--seconds', '1']

interface Place {
  /** Names every process of the run in its environment. */
  readonly temp: string
  readonly json: string
  bench(...args: string[]): ChildProcess
}

test('a short run has figures that can be true and leaves nothing behind', limits, async (t) => {
  const place = createPlace(t)
  const child = place.bench(...SHORT, '--only', 'nginx,pyserve-ts', '--load', 'get-64,start', '--json', place.json)
  assert.equal(await endOf(child), 0)
  const { rows, extras, leftOut } = JSON.parse(readFileSync(place.json, 'utf8')) as Results
  assert.deepEqual(leftOut, [])
  assert.deepEqual(
    rows.map(({ contender }) => contender),
    ['nginx', 'pyserve-ts'],
  )
  for (const { contender, errors, cpuMicrosPerRequest: cpu = 0, requestsPerSecond: rate = 0, ...row } of rows) {
    assert.deepEqual(errors, {}, contender)
    assert.ok(cpu > 1 && cpu < 10_000, `${contender}: ${cpu} µs`)
    assert.ok(rate > 10, `${contender}: ${rate} requests/s`)
    assert.ok((row.rssBytes ?? 0) > 1_000_000, `${contender}: ${row.rssBytes} bytes`)
    assert.ok((row.p50Ms ?? 0) > 0 && (row.p50Ms ?? 0) <= (row.p99Ms ?? 0), `${contender}: ${row.p50Ms} ms`)
  }
  assert.ok((rows[1]?.cpuRatio ?? 0) > 0.1)
  assert.ok((extras.start ?? 0) > 10)
  assertNothingLeft(place)
})

test('a contender whose program is missing is left out, with the reason', limits, async (t) => {
  const place = createPlace(t)
  const child = place.bench(...SHORT, '--only', 'nginx,caddy', '--load', 'get-64', '--json', place.json)
  assert.equal(await endOf(child), 0)
  const { rows, leftOut } = JSON.parse(readFileSync(place.json, 'utf8')) as Results
  assert.deepEqual(leftOut, [{ name: 'caddy', reason: 'caddy is not installed (Debian: apt-get install caddy)' }])
  assert.deepEqual(
    rows.map(({ contender }) => contender),
    ['nginx'],
  )
})

for (const times of [1, 2]) {
  test(`${times} × Ctrl-C in the middle leaves nothing behind`, limits, async (t) => {
    const place = createPlace(t)
    const child = place.bench('--only', 'nginx,pyserve-ts', '--load', 'get-64', '--seconds', '60')
    const end = endOf(child)
    const isLoading = () => findProcesses(place.temp).some(({ command }) => command.startsWith('wrk'))
    await waitFor(isLoading, { what: 'the load', timeoutMs: 60_000 })
    const [main] = findProcesses(place.temp).filter(({ command }) => command.includes('bench/main.ts'))
    assert.ok(main)
    process.kill(main.pid, 'SIGINT')
    if (times > 1) {
      // Two that are pending at once would arrive as one.
      await waitFor(() => !isLoading(), { what: 'the end of the load', everyMs: 1 })
      if (isRunning(main.pid)) process.kill(main.pid, 'SIGINT')
    }
    assert.equal(await end, 130)
    assertNothingLeft(place)
  })
}

function assertNothingLeft({ temp }: Place): void {
  assert.deepEqual(findProcesses(temp), [])
  // Node's own, which the workers of every instance share.
  assert.deepEqual(
    readdirSync(temp).filter((name) => name !== 'node-compile-cache'),
    [],
  )
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A run whose PATH has no program of the bench but wrk, and nginx where servers are. */
function createPlace(t: TestContext): Place {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-bench-test-'))
  const [temp, bin] = [join(dir, 'temp'), join(dir, 'bin')]
  for (const path of [temp, bin]) mkdirSync(path)
  for (const command of ['wrk', 'nginx']) symlinkSync(findProgram(command), join(bin, command))
  t.after(() => {
    for (const { pid } of findProcesses(temp)) process.kill(pid, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  return {
    temp,
    json: join(dir, 'results.json'),
    bench: (...args) =>
      spawn(process.execPath, [launcher, ...args], {
        env: { ...env, PATH: bin, TMPDIR: temp },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
  }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0 && code !== 130) console.error(output)
  return code
}

function findProgram(command: string): string {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin']
  const dir = dirs.find((path) => readEntries(path).includes(command))
  assert.ok(dir, `no ${command}`)
  return join(dir, command)
}

function readEntries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
