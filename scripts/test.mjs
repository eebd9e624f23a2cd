import { join } from 'node:path'
import { pinnedEnv, root, runPinnedNode, runQuietly } from './run.mjs'
import { ensurePrograms, setUp } from './setup.mjs'

const PROGRAMS = [
  { command: 'openssl', package: 'openssl' },
  { command: 'curl', package: 'curl' },
  { command: 'nginx', package: 'nginx', service: true },
  { command: 'wrk', package: 'wrk' },
  { command: 'promtool', package: 'prometheus', service: true },
  { command: 'redis-server', package: 'redis-server', service: true },
]

const CHECKS = [
  { name: 'lint', command: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'types', command: 'tsc', args: [] },
  { name: 'knip', command: 'knip', args: [] },
]

const RUNNER = [
  '--test',
  `--import=${new URL('leak-guard.mjs', import.meta.url)}`,
  '--test-reporter=spec',
  '--test-concurrency=2',
  '--test-timeout=120000',
]

try {
  process.exitCode = await test(process.argv.slice(2))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

/** With arguments only the tests that they name run, without the checks of the whole project. */
async function test(args) {
  await setUp()
  await ensurePrograms(PROGRAMS)
  if (args.length === 0 && !(await passesChecks())) return 1
  return runPinnedNode([...RUNNER, ...(args.some(isTestFile) ? args : [...args, 'test/**/*.test.ts'])])
}

/** Runs every check even after one has failed, so that one run reports all. */
async function passesChecks() {
  let passed = true
  for (const { name, command, args } of CHECKS) {
    const startedMs = Date.now()
    const { code, output } = await runQuietly(join(root, 'node_modules', '.bin', command), args, pinnedEnv())
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    console.log(code === 0 ? `${name}: ok (${seconds} s)` : `${name}: failed (${seconds} s)\n${output}`)
    passed &&= code === 0
  }
  return passed
}

function isTestFile(arg) {
  return !arg.startsWith('-')
}
