import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  cleanRunDir,
  createRunDir,
  describeRunDir,
  listRunDirs,
  locateRunDir,
  type RunDirSource,
} from '../../src/cli/run-dir.ts'

const uid = process.getuid?.()

test('--run-dir comes first, then PYSERVE_RUN_DIR', (t) => {
  const { source, dir } = setUp(t)
  const env = { PYSERVE_RUN_DIR: join(dir, 'from-env') }
  assert.deepEqual(listRunDirs({ ...source, wanted: join(dir, 'wanted'), env }), [join(dir, 'wanted')])
  assert.deepEqual(listRunDirs({ ...source, env }), [join(dir, 'from-env')])
})

test('a user has a directory below XDG_RUNTIME_DIR, else below the temporary directory', (t) => {
  const { source, dir } = setUp(t)
  const xdg = join(dir, 'xdg')
  mkdirSync(xdg)
  const places = listRunDirs({ ...source, uid: 1234, env: { XDG_RUNTIME_DIR: xdg } })
  assert.deepEqual(
    places.map((place) => place.replace(/-[0-9a-f]{8}$/, '-#')),
    [join(xdg, 'pyserve-ts', 'config-#'), join(dir, 'pyserve-ts-1234', 'config-#')],
  )
  assert.equal(listRunDirs({ ...source, uid: 1234 }).length, 1)
})

test('one file has one run directory, however it is named', (t) => {
  const { source, dir, configFile } = setUp(t)
  symlinkSync(configFile, join(dir, 'link.yaml'))
  const [byLink] = listRunDirs({ ...source, configFile: join(dir, 'link.yaml') })
  const [byName] = listRunDirs(source)
  assert.equal(byLink, byName)
  const other = join(dir, 'other.yaml')
  writeFileSync(other, '')
  assert.notEqual(listRunDirs({ ...source, configFile: other })[0], byName)
  rmSync(configFile)
  assert.equal(listRunDirs(source)[0], byName)
})

test('a name of any characters gives a plain one', (t) => {
  const { source, dir } = setUp(t)
  const [place] = listRunDirs({ ...source, configFile: join(dir, 'до свидания $(x).yaml') })
  assert.match(basename(place ?? ''), /^[\w.-]+-[0-9a-f]{8}$/)
})

test('an instance is found although the environment has changed since it was started', (t) => {
  const { source, dir } = setUp(t)
  const xdg = join(dir, 'xdg')
  mkdirSync(xdg)
  const started = locateRunDir({ ...source, uid: 1234 })
  mkdirSync(started.path, { recursive: true })
  writeFileSync(started.pidFile, '1\n')
  assert.equal(locateRunDir({ ...source, uid: 1234, env: { XDG_RUNTIME_DIR: xdg } }).path, started.path)
})

test('the directory is made for its owner only', (t) => {
  const { dir } = setUp(t)
  const runDir = describeRunDir(join(dir, 'pyserve-ts-1', 'config-1'))
  createRunDir(runDir, uid)
  assert.equal(statSync(runDir.path).mode & 0o777, 0o700)
  assert.equal(statSync(join(dir, 'pyserve-ts-1')).mode & 0o777, 0o700)
})

test('a directory that others own or everyone may write to is refused', (t) => {
  const { dir } = setUp(t)
  const parent = join(dir, 'pyserve-ts-1')
  mkdirSync(parent)
  const runDir = describeRunDir(join(parent, 'config-1'))
  assert.throws(() => createRunDir(runDir, (uid ?? 0) + 1), /belongs to user/)
  chmodSync(parent, 0o777)
  assert.throws(() => createRunDir(runDir, uid), /can be written by everyone \(mode 777\)/)
  rmSync(parent, { recursive: true })
  writeFileSync(join(dir, 'elsewhere'), '')
  symlinkSync(dir, parent)
  assert.throws(() => createRunDir(runDir, uid), /is not a directory/)
})

test('a path that no Unix socket can have is refused in plain words', (t) => {
  const { dir } = setUp(t)
  assert.throws(() => createRunDir(describeRunDir(join(dir, 'x'.repeat(100))), uid), /too long for a Unix socket/)
})

test('cleaning leaves the log, and nothing where that is empty', (t) => {
  const { dir } = setUp(t)
  const runDir = describeRunDir(join(dir, 'run'))
  createRunDir(runDir, uid)
  for (const file of [runDir.socket, runDir.pidFile, runDir.outputFile, runDir.logFile]) writeFileSync(file, 'x')
  cleanRunDir(runDir)
  assert.deepEqual(
    [runDir.socket, runDir.pidFile, runDir.outputFile, runDir.logFile].map((file) => existsSync(file)),
    [false, false, false, true],
  )
  writeFileSync(runDir.logFile, '')
  cleanRunDir(runDir)
  assert.ok(!existsSync(runDir.path))
})

function setUp(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-run-dir-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const configFile = join(dir, 'config.yaml')
  writeFileSync(configFile, '')
  const source: RunDirSource = { configFile, wanted: undefined, env: {}, uid: 1234, tmpDir: dir }
  return { dir, configFile, source }
}
