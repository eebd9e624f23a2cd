import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const guard = join(import.meta.dirname, '..', '..', 'scripts', 'leak-guard.mjs')

for (const { name, body, passes } of [
  { name: 'a file that leaves a timer behind fails, and says so', body: 'setInterval(() => {}, 1000)', passes: false },
  { name: 'a file that leaves nothing behind passes', body: '', passes: true },
]) {
  test(name, (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'pyserve-leak-'))
    t.after(() => rmSync(dir, { recursive: true }))
    const file = join(dir, 'sample.test.ts')
    writeFileSync(file, `import { test } from 'node:test'\ntest('sample', () => { ${body} })\n`)
    const env = { ...process.env, LEAK_GRACE_MS: '100', NODE_TEST_CONTEXT: undefined }
    const args = ['--test', `--import=${guard}`, file]
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: dir, env, encoding: 'utf8', timeout: 30_000 })
    assert.equal(status, passes ? 0 : 1)
    assert.equal(/still running 100 ms after its tests ended; open: .*Timeout/.test(stdout), !passes, stdout)
  })
}
