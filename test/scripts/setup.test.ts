import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const setup = pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'setup.mjs')).href

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root may install packages' }

test('a program that is there needs nothing', (t) => {
  const dir = createPath(t, { tool: '' })
  assert.deepEqual(ensureTool(dir, {}), { status: 0, output: '' })
})

test('a missing program is a notice', (t) => {
  const { status, output } = ensureTool(createPath(t, {}), { CI: '' })
  assert.equal(
    output,
    'setup: not installed: tool (Debian: apt-get install tool-package); tests that need them are skipped\n',
  )
  assert.equal(status, 0)
})

test('a missing program fails the run in CI', (t) => {
  const { status, output } = ensureTool(createPath(t, {}), { CI: 'true' })
  assert.match(output, /not installed: tool/)
  assert.equal(status, 1)
})

test('root installs a missing program', asRoot, (t) => {
  const dir = createPath(t, {
    'apt-get': `[ "$5" = tool-package ] && printf '#!/bin/sh\\n' > $DIR/tool && /bin/chmod 755 $DIR/tool`,
  })
  assert.deepEqual(ensureTool(dir, { CI: 'true' }), { status: 0, output: 'setup: apt-get install tool-package\n' })
})

test('package lists are fetched where the first try fails', asRoot, (t) => {
  const dir = createPath(t, {
    'apt-get': `if [ "$1" = update ]; then printf '#!/bin/sh\\n' > $DIR/tool; exit; fi; /bin/chmod 755 $DIR/tool`,
  })
  assert.equal(ensureTool(dir, { CI: 'true' }).status, 0)
})

/** A folder with these shell scripts as the only programs. */
function createPath(t: TestContext, scripts: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-setup-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\nDIR=${dir}\n${body}\n`, { mode: 0o755 })
  }
  return dir
}

function ensureTool(path: string, env: Readonly<Record<string, string>>): { status: number | null; output: string } {
  const code = `
    const { ensurePrograms } = await import(${JSON.stringify(setup)})
    try {
      await ensurePrograms([{ command: 'tool', package: 'tool-package' }])
    } catch (error) {
      console.log(error.message)
      process.exitCode = 1
    }`
  const args = ['--input-type=module', '-e', code]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...env, PATH: path },
    encoding: 'utf8',
  })
  return { status, output: `${stdout}${stderr}` }
}
