import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LogFileOwner, watchLogFile } from '../../src/log/rotation.ts'

const ROTATION = { useRotation: true, maxLogBytes: 10, backupCount: 2 }

test('a full file becomes file.1 and the older ones move up, up to the number of backups', (t) => {
  const { file, owner } = setUp(t)
  const watch = watchLogFile(owner)
  t.after(() => watch.close())
  for (const text of ['first line', 'second line', 'third line']) {
    appendFileSync(file, text)
    watch.check()
  }
  assert.equal(readFileSync(file, 'utf8'), '')
  assert.equal(readFileSync(`${file}.1`, 'utf8'), 'third line')
  assert.equal(readFileSync(`${file}.2`, 'utf8'), 'second line')
  assert.ok(!existsSync(`${file}.3`))
})

test('a file that is full at the start is rotated at once', (t) => {
  const { file, owner } = setUp(t)
  writeFileSync(file, 'longer than ten bytes')
  watchLogFile(owner).close()
  assert.ok(existsSync(`${file}.1`))
})

test('a file that is not full, or that nobody wants rotated, stays', (t) => {
  for (const rotation of [
    { ...ROTATION, maxLogBytes: 100 },
    { ...ROTATION, useRotation: false },
    { ...ROTATION, maxLogBytes: 0 },
    { ...ROTATION, backupCount: 0 },
  ]) {
    const { file, owner } = setUp(t)
    writeFileSync(file, 'longer than ten bytes')
    watchLogFile({ ...owner, rotation: () => rotation }).close()
    assert.ok(!existsSync(`${file}.1`), JSON.stringify(rotation))
  }
})

test('a file that was moved or deleted by others is opened again', (t) => {
  const { file, owner, reopened } = setUp(t)
  const watch = watchLogFile(owner)
  t.after(() => watch.close())
  renameSync(file, `${file}.moved`)
  watch.check()
  assert.equal(reopened(), 1)
  writeFileSync(`${file}.other`, '')
  renameSync(`${file}.other`, file)
  watch.check()
  assert.equal(reopened(), 2)
  watch.check()
  assert.equal(reopened(), 2)
})

test('a rotation that cannot be done is told once', (t) => {
  const { file, owner, failures } = setUp(t)
  writeFileSync(file, 'longer than ten bytes')
  mkdirSync(`${file}.1`)
  const watch = watchLogFile({ ...owner, rotation: () => ({ ...ROTATION, backupCount: 1 }) })
  t.after(() => watch.close())
  watch.check()
  assert.equal(failures.length, 1)
  assert.match(failures[0]?.message ?? '', /^cannot rotate the log file/)
  assert.equal(readFileSync(file, 'utf8'), 'longer than ten bytes')
})

function setUp(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-rotation-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'proxy.log')
  const failures: Error[] = []
  let reopened = 0
  const reopen = () => {
    reopened++
    appendFileSync(file, '')
  }
  const owner: LogFileOwner = {
    file: () => file,
    rotation: () => ROTATION,
    reopen,
    failed: (error) => failures.push(error),
  }
  appendFileSync(file, '')
  return { file, owner, failures, reopened: () => reopened }
}
