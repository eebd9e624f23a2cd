import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { renderReadme } from '../../scripts/readme.ts'

const text = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')

test('the tables of README are those of the code (npm run readme writes them)', () => {
  assert.equal(text, renderReadme(text))
})

test('every test that README names as a proof exists', () => {
  const named = [...text.matchAll(/npm test -- ([^`]+)`/g)].flatMap((match) => (match[1] ?? '').split(' '))
  assert.notEqual(named.length, 0)
  for (const path of named) {
    assert.doesNotThrow(() => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))), path)
  }
})
