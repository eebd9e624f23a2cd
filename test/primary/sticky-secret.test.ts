import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { StickyConfig } from '../../src/config/balancing-config.ts'
import { findStickySecret } from '../../src/primary/sticky-secret.ts'
import { builtConfig, upstreamOf } from '../helpers/built-config.ts'

function createDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pyserve-secret-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function configWith(sticky: StickyConfig | undefined) {
  return builtConfig([{ action: { kind: 'proxy', upstream: upstreamOf({ backends: [], sticky }) } }])
}

const NEEDS_ONE = configWith({ cookie: 'lb', secret: undefined })

test('the secret is made once, kept for its owner only, and the same afterwards', (t) => {
  const directory = createDirectory(t)
  const secret = findStickySecret(NEEDS_ONE, directory)
  assert.equal(Buffer.from(secret, 'base64').length, 32)
  assert.equal(findStickySecret(NEEDS_ONE, directory), secret)
  assert.deepEqual(readdirSync(directory), ['sticky.key'])
  assert.equal(statSync(join(directory, 'sticky.key')).mode & 0o777, 0o600)
})

test('another instance has another one', (t) => {
  assert.notEqual(findStickySecret(NEEDS_ONE, createDirectory(t)), findStickySecret(NEEDS_ONE, createDirectory(t)))
})

test('no file is left where none is needed', (t) => {
  const directory = createDirectory(t)
  assert.equal(findStickySecret(configWith(undefined), directory), '')
  assert.equal(findStickySecret(configWith({ cookie: 'lb', secret: 'of its own, and long' }), directory), '')
  assert.deepEqual(readdirSync(directory), [])
})

test('a file that is no secret is replaced', (t) => {
  const directory = createDirectory(t)
  writeFileSync(join(directory, 'sticky.key'), 'short')
  const secret = findStickySecret(NEEDS_ONE, directory)
  assert.equal(readFileSync(join(directory, 'sticky.key'), 'utf8').trim(), secret)
})

test('a directory that cannot be used is said', (t) => {
  const missing = join(createDirectory(t), 'missing')
  assert.throws(
    () => findStickySecret(NEEDS_ONE, missing),
    /^Error: the secret of sticky cookies cannot be kept: ENOENT/,
  )
})
