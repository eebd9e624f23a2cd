import assert from 'node:assert/strict'
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { tailFile } from '../../src/cli/log-tail.ts'
import { rotateLogFile } from '../../src/log/rotation.ts'

const TIMEOUT_MS = 10_000

for (const { name, text, count, expected } of [
  { name: 'the last lines', text: 'a\nb\nc\n', count: 2, expected: ['b\n', 'c\n'] },
  { name: 'all there are', text: 'a\nb\n', count: 9, expected: ['a\n', 'b\n'] },
  { name: 'a line still being written is left out', text: 'a\nb\nc', count: 1, expected: ['b\n'] },
  { name: 'none of an empty file', text: '', count: 5, expected: [] },
  { name: 'none where none are wanted', text: 'a\nb\n', count: 0, expected: [] },
  { name: 'characters of several bytes', text: 'ä\n€\n', count: 1, expected: ['€\n'] },
]) {
  test(name, async (t) => {
    const file = temporaryFile(t)
    writeFileSync(file, text)
    assert.deepEqual(await collect(tailFile(file, count, undefined)), expected)
  })
}

test('lines longer than a block come whole', async (t) => {
  const file = temporaryFile(t)
  const long = `${'x'.repeat(150_000)}\n`
  writeFileSync(file, `a\n${long}${long}`)
  assert.deepEqual(await collect(tailFile(file, 2, undefined)), [long, long])
})

test('following goes on with what is written, whole lines only', async (t) => {
  const { file, next, end } = follow(t, 'a\n')
  assert.deepEqual(await next(), ['a\n'])
  appendFileSync(file, 'b\nc')
  assert.deepEqual(await next(), ['b\n'])
  appendFileSync(file, 'd\n')
  assert.deepEqual(await next(), ['cd\n'])
  await end()
})

test('following goes over a rotation and loses no line', async (t) => {
  const { file, next, end } = follow(t, 'a\n')
  await next()
  const fd = openSync(file, 'a')
  renameSync(file, `${file}.1`)
  appendFileSync(fd, 'b\n')
  writeFileSync(file, 'c\n')
  const lines = await next()
  if (lines.length === 1) lines.push(...(await next()))
  assert.deepEqual(lines, ['b\n', 'c\n'])
  appendFileSync(file, 'd\n')
  assert.deepEqual(await next(), ['d\n'])
  await end()
})

test('what is written late to a file that was moved away is not lost', async (t) => {
  const { file, next, end } = follow(t, 'a\n')
  await next()
  const fd = openSync(file, 'a')
  renameSync(file, `${file}.aside`)
  writeFileSync(file, 'b\n')
  assert.deepEqual(await next(), ['b\n'])
  appendFileSync(fd, 'late\n')
  assert.deepEqual(await next(), ['late\n'])
  closeSync(fd)
  await end()
})

test('following finds what was written between two rotations', async (t) => {
  const { file, next, end } = follow(t, 'a\n')
  await next()
  appendFileSync(file, 'b\n')
  rotateLogFile(file, 3)
  writeFileSync(file, 'c\n')
  rotateLogFile(file, 3)
  writeFileSync(file, 'd\n')
  const lines: string[] = []
  while (lines.length < 3) lines.push(...(await next()))
  assert.deepEqual(lines, ['b\n', 'c\n', 'd\n'])
  await end()
})

test('following a file that was cut begins anew', async (t) => {
  const { file, next, end } = follow(t, 'a\nb\n')
  await next()
  truncateSync(file)
  appendFileSync(file, 'c\n')
  assert.deepEqual(await next(), ['c\n'])
  await end()
})

test('following waits for a file that is not there yet', async (t) => {
  const { file, next, end } = follow(t, undefined)
  const first = next()
  writeFileSync(file, 'a\n')
  assert.deepEqual(await first, ['a\n'])
  await end()
})

function follow(t: TestContext, text: string | undefined) {
  const file = temporaryFile(t)
  if (text !== undefined) writeFileSync(file, text)
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS)
  t.after(() => clearTimeout(timer))
  const batches = tailFile(file, 10, abort.signal)
  return {
    file,
    next: async (): Promise<string[]> => (await batches.next()).value ?? [],
    end: async () => {
      abort.abort()
      assert.deepEqual(await batches.next(), { done: true, value: undefined })
    },
  }
}

async function collect(batches: AsyncIterable<string[]>): Promise<string[]> {
  const lines: string[] = []
  for await (const batch of batches) lines.push(...batch)
  return lines
}

function temporaryFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pyserve-tail-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'proxy.log')
}
