import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const run = pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'run.mjs')).href

for (const { sent, received } of [
  { sent: 'SIGINT', received: 'SIGINT' },
  { sent: 'SIGTERM', received: 'SIGTERM' },
  { sent: 'SIGHUP', received: 'SIGTERM' },
] as const) {
  test(`${sent} reaches the program as ${received}, and its exit code comes back`, async (t) => {
    const program = `
      process.on('SIGHUP', () => process.exit(1))
      process.on('${received}', () => process.exit(42))
      setTimeout(() => process.exit(2), 20_000)
      process.stdout.write('ready')`
    const code = `
      const { runPinnedNode } = await import(${JSON.stringify(run)})
      process.exitCode = await runPinnedNode(['-e', ${JSON.stringify(program)}])`
    const launcher = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => launcher.kill('SIGTERM'))
    await once(launcher.stdout, 'data')
    launcher.kill(sent)
    const [exitCode] = await once(launcher, 'exit')
    assert.equal(exitCode, 42)
  })
}
