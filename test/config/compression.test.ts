import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import type { CompressionConfig } from '../../src/config/compression-config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

const KEY = 'server.reverse_proxy[0].compression'
const TYPE = 'a media type such as application/json, a kind such as text/*, or a suffix such as +json'

function withCompression(value: string): string {
  return `server:\n  reverse_proxy:\n    - path: /a\n      compression: ${value}\n`
}

function build(value: string): CompressionConfig | undefined {
  const draft = parseConfig(withCompression(value), '/config.yaml', { env: {}, overrides: {} })
  const config = buildConfig(draft, new Map(), 0)
  assert.ok(config, JSON.stringify(draft.report.list()))
  return config.routes[0]?.compression
}

for (const { name, value, problem } of [
  {
    name: 'it is on, off or a map',
    value: 'gzip',
    problem: `4:20 error invalid value "gzip" for ${KEY} | expected: on, off, or a map of settings`,
  },
  {
    name: 'an algorithm is a known one',
    value: '{ algorithms: [br, deflate] }',
    problem: `4:39 error invalid value "deflate" for ${KEY}.algorithms[1] | expected: one of br, gzip, zstd`,
  },
  {
    name: 'a misspelled algorithm is told the nearest',
    value: '{ algorithms: [gzp] }',
    problem: `4:35 error invalid value "gzp" for ${KEY}.algorithms[0] | expected: one of br, gzip, zstd | hint: did you mean "gzip"?`,
  },
  {
    name: 'there is an algorithm',
    value: '{ algorithms: [] }',
    problem: `4:34 error invalid value […] for ${KEY}.algorithms | expected: a list with at least one entry`,
  },
  {
    name: 'a level is not over 9',
    value: '{ level: 10 }',
    problem: `4:29 error invalid value 10 for ${KEY}.level | expected: a whole number from 1 to 9`,
  },
  {
    name: 'a level is not under 1',
    value: '{ level: 0 }',
    problem: `4:29 error invalid value 0 for ${KEY}.level | expected: a whole number from 1 to 9`,
  },
  {
    name: 'a type has two parts',
    value: '{ types: [json] }',
    problem: `4:30 error invalid value "json" for ${KEY}.types[0] | expected: ${TYPE}`,
  },
  {
    name: 'a star stands for a whole part of a type',
    value: '{ types: ["text/x*"] }',
    problem: `4:30 error invalid value "text/x*" for ${KEY}.types[0] | expected: ${TYPE}`,
  },
  {
    name: 'a misspelled key is told the nearest',
    value: '{ min_byte: 1 }',
    problem: `4:22 error unknown key "min_byte" in ${KEY} | hint: did you mean "min_bytes"?`,
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(withCompression(value)), [problem]))
}

test('a route has none unless it says so', () => {
  for (const value of ['off', 'false']) assert.equal(build(value), undefined)
})

test('on is a map of defaults', () => {
  const on = build('on')
  assert.deepEqual(on, build('{}'))
  assert.deepEqual([on?.algorithms, on?.minBytes, on?.level], [['br', 'gzip', 'zstd'], 1024, undefined])
})

test('settings are built', () => {
  assert.deepEqual(
    build('{ algorithms: [GZIP, br, gzip], types: [Text/*, +json, a/b, "*/*"], min_bytes: 2kb, level: 5 }'),
    { algorithms: ['gzip', 'br'], types: ['text/*', '+json', 'a/b', '*/*'], minBytes: 2048, level: 5 },
  )
})
