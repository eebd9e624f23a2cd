import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const biome = join(root, 'node_modules', '.bin', 'biome')

for (const { name, text, rule } of [
  { name: 'any', text: 'export const a: any = 1\n', rule: /noExplicitAny/ },
  { name: 'a default export', text: 'export default 1\n', rule: /noDefaultExport/ },
  { name: 'an enum', text: 'export enum A {\n  B = 1,\n}\n', rule: /noEnum/ },
  { name: 'a barrel', text: "export * from 'node:net'\n", rule: /noBarrelFile/ },
  { name: 'a promise that nobody waits for', text: 'async function f() {}\nf()\n', rule: /noFloatingPromises/ },
]) {
  test(`the linter refuses ${name}`, (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'pyserve-lint-'))
    t.after(() => rmSync(dir, { recursive: true }))
    copyFileSync(join(root, '.biome.json'), join(dir, '.biome.json'))
    writeFileSync(join(dir, 'sample.ts'), text)
    const args = ['lint', '--vcs-enabled=false', 'sample.ts']
    const { status, stdout, stderr } = spawnSync(biome, args, { cwd: dir, encoding: 'utf8' })
    assert.match(`${stdout}${stderr}`, rule)
    assert.equal(status, 1)
  })
}
