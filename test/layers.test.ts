import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findLayerViolations, type SourceFile } from './helpers/layers.ts'

const MAX_LINES = 250

const src = join(import.meta.dirname, '..', 'src')
const files: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(src, path), 'utf8') }))

test('imports point down or stay inside a folder', () => {
  assert.ok(files.length > 0)
  assert.deepEqual(findLayerViolations(files), [])
})

test(`no source file is longer than ${MAX_LINES} lines`, () => {
  const lengths = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
  assert.deepEqual(
    lengths.filter(({ lines }) => lines > MAX_LINES),
    [],
  )
})

test('every source file is named in kebab-case, after one noun', () => {
  const named = ({ path }: SourceFile) =>
    path
      .split('/')
      .every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.ts)?$/.test(part) && !/^(index|utils?|helpers?)(\.ts)?$/.test(part))
  assert.deepEqual(
    files.filter((file) => !named(file)).map(({ path }) => path),
    [],
  )
})

test('no module keeps mutable state of its own', () => {
  const holders = files.filter(({ text }) => /^(export )?(let|var) /m.test(text))
  assert.deepEqual(
    holders.map(({ path }) => path),
    [],
  )
})
