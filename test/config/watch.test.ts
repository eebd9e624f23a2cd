import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchFiles } from '../../src/config/watch.ts'
import { waitFor } from '../helpers/wait.ts'

function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'watch-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function startWatch(t: TestContext, files: readonly string[], debounceMs = 20, recheckMs = 60_000) {
  const seen = { changes: 0, errors: [] as Error[] }
  const watch = await watchFiles(files, {
    changed: () => {
      seen.changes++
    },
    failed: (error) => seen.errors.push(error),
    debounceMs,
    recheckMs,
  })
  t.after(() => watch.close())
  let expected = 0
  /** Makes a change and waits until exactly one more was told. */
  async function expectChange(what: string, make: () => void): Promise<void> {
    expected++
    make()
    await waitFor(() => seen.changes >= expected, { what })
    assert.equal(seen.changes, expected, what)
  }
  return { watch, seen, expectChange }
}

test('a change is told however the file came by its new content', async (t) => {
  const dir = tempDir(t)
  const file = join(dir, 'config.yaml')
  writeFileSync(file, 'a')
  const { expectChange, seen } = await startWatch(t, [file])
  await expectChange('a write in place', () => writeFileSync(file, 'b'))
  await expectChange('a rename over it', () => {
    writeFileSync(join(dir, '.config.yaml.swp'), 'c')
    renameSync(join(dir, '.config.yaml.swp'), file)
  })
  await expectChange('its deletion', () => rmSync(file))
  await expectChange('its return', () => writeFileSync(file, 'd'))
  assert.deepEqual(seen.errors, [])
})

test('a symlink swap as Kubernetes makes it is told', async (t) => {
  const dir = tempDir(t)
  for (const version of ['1', '2', '3']) {
    mkdirSync(join(dir, `..v${version}`))
    writeFileSync(join(dir, `..v${version}`, 'config.yaml'), version)
  }
  symlinkSync('..v1', join(dir, '..data'))
  symlinkSync('..data/config.yaml', join(dir, 'config.yaml'))
  const { expectChange } = await startWatch(t, [join(dir, 'config.yaml')])
  for (const version of ['2', '3']) {
    await expectChange(`version ${version}`, () => {
      symlinkSync(`..v${version}`, join(dir, '..data_tmp'))
      renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
      rmSync(join(dir, `..v${Number(version) - 1}`), { recursive: true })
    })
  }
})

test('a change behind a link into another directory is told', async (t) => {
  const dir = tempDir(t)
  mkdirSync(join(dir, 'real'))
  mkdirSync(join(dir, 'linked'))
  writeFileSync(join(dir, 'real', 'config.yaml'), 'a')
  symlinkSync('../real/config.yaml', join(dir, 'linked', 'config.yaml'))
  const { expectChange } = await startWatch(t, [join(dir, 'linked', 'config.yaml')])
  await expectChange('a write to its target', () => writeFileSync(join(dir, 'real', 'config.yaml'), 'b'))
})

test('a directory that is exchanged whole is told, as often as it is', async (t) => {
  const dir = tempDir(t)
  for (const version of ['1', '2', '3']) {
    mkdirSync(join(dir, version))
    writeFileSync(join(dir, version, 'config.yaml'), version)
  }
  const current = join(dir, 'current')
  renameSync(join(dir, '1'), current)
  const { expectChange } = await startWatch(t, [join(current, 'config.yaml')], 20, 50)
  for (const version of ['2', '3']) {
    await expectChange(`version ${version}`, () => {
      renameSync(current, join(dir, `before ${version}`))
      renameSync(join(dir, version), current)
    })
  }
  await expectChange('its loss', () => rmSync(current, { recursive: true }))
  await expectChange('its return', () => {
    mkdirSync(join(dir, 'new'))
    writeFileSync(join(dir, 'new', 'config.yaml'), '4')
    renameSync(join(dir, 'new'), current)
  })
})

test('the same content again, other files and touched times are no change', async (t) => {
  const dir = tempDir(t)
  const file = join(dir, 'config.yaml')
  writeFileSync(file, 'a')
  const { seen, expectChange } = await startWatch(t, [file])
  writeFileSync(file, 'a')
  utimesSync(file, new Date(), new Date(0))
  writeFileSync(join(dir, 'other'), 'x')
  // What comes last is told alone: the hints before it found nothing.
  await expectChange('a real change', () => writeFileSync(file, 'b'))
  assert.equal(seen.changes, 1)
})

test('an update takes new files in, drops old ones, and loses no change of those that stay', async (t) => {
  const dir = tempDir(t)
  const [config, cert] = [join(dir, 'config.yaml'), join(dir, 'tls', 'cert.pem')]
  mkdirSync(join(dir, 'tls'))
  writeFileSync(config, 'a')
  writeFileSync(cert, '1')
  const { watch, expectChange, seen } = await startWatch(t, [config])
  await watch.update([config, cert])
  await expectChange('the new file', () => writeFileSync(cert, '2'))
  await expectChange('a change that the update races', () => {
    writeFileSync(config, 'b')
    void watch.update([config])
  })
  writeFileSync(cert, '3')
  await expectChange('the file that stays', () => writeFileSync(config, 'c'))
  assert.equal(seen.changes, 3)
})

test('what was marked is known: only a later change is told, the way back included', async (t) => {
  const file = join(tempDir(t), 'config.yaml')
  writeFileSync(file, 'good')
  const { watch, expectChange, seen } = await startWatch(t, [file], 500)
  writeFileSync(file, 'broken')
  await watch.mark()
  await expectChange('the repair', () => writeFileSync(file, 'good'))
  assert.equal(seen.changes, 1)
})
