import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readContent, readContents } from '../../src/config/files.ts'

const directory = mkdtempSync(join(tmpdir(), 'pyserve-files-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const file = join(directory, 'file')
const locked = join(directory, 'locked')
const pipe = join(directory, 'pipe')
const circle = join(directory, 'circle')
writeFileSync(file, 'text')
writeFileSync(locked, 'secret')
chmodSync(locked, 0o000)
symlinkSync(circle, circle)
execFileSync('mkfifo', [pipe])

for (const { name, path, reason } of [
  { name: 'a file that is not there', path: join(directory, 'none'), reason: 'does not exist' },
  { name: 'a file within a file', path: join(file, 'x'), reason: 'does not exist' },
  { name: 'a directory', path: directory, reason: 'is a directory' },
  { name: 'a pipe', path: pipe, reason: 'is not a regular file' },
  { name: 'a link to itself', path: circle, reason: 'is a symbolic link in a circle' },
]) {
  test(`${name} is told by its reason`, async () => {
    assert.deepEqual(await readContent(path), { ok: false, reason })
  })
}

test('a file that may not be read is told by its reason', async () => {
  const isRoot = process.geteuid?.() === 0
  chmodSync(directory, 0o755)
  // Root may read everything.
  if (isRoot) process.seteuid?.(65_534)
  try {
    assert.deepEqual(await readContent(locked), { ok: false, reason: 'may not be read: permission denied' })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('hundreds of files are read, each once', async () => {
  const paths = Array.from({ length: 200 }, (_, i) => join(directory, `many-${i}`))
  for (const path of paths) writeFileSync(path, path)
  const contents = await readContents([...paths, ...paths])
  assert.equal(contents.size, 200)
  for (const [path, content] of contents) assert.equal(content.ok && content.bytes.toString(), path)
})
