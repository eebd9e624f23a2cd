import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyPath } from '../../src/config/key-path.ts'
import { parseYamlSource } from '../../src/config/yaml-source.ts'
import { summarize } from './problems-of.ts'

const env = { PORT: '8000', WORD: 'yes please', SWITCH: 'true', NESTED: '{ a: 1 }' }

function read(text: string) {
  return parseYamlSource(text, 'config.yaml', env)
}

for (const { name, text, problem } of [
  { name: 'a tab cannot indent', text: 'a:\n\tb: 2\n', problem: '2:1 error a tab cannot indent' },
  {
    name: 'a quote that does not end',
    text: 'a: "b\n',
    problem: '1:6 error missing closing "quote',
  },
  {
    name: 'a missing space after a colon',
    text: 'server:\n  port:8000\n  host: a\n',
    problem: '2:3 error implicit keys need to be on a single line | hint: a colon needs a space after it',
  },
  {
    name: 'several documents',
    text: 'a: 1\n---\nb: 1\n',
    problem: '2:1 error the file has more than one YAML document',
  },
  { name: 'an unknown tag', text: 'a: !secret b\n', problem: '1:4 error unresolved tag: !secret' },
  {
    name: 'a reference in braces without quotes',
    text: `a: { b: \${PORT} }\n`,
    problem: `1:10 error unexpected flow-map-start at node end | hint: put quotes around \${…} inside of { } or [ ]`,
  },
  {
    name: 'a key that stands twice',
    text: 'a: 1\nb: 2\na: 3\n',
    problem: '3:1 error the key "a" stands here again | hint: it is on line 1 already',
  },
  { name: 'an alias without anchor', text: 'a: *none\n', problem: '1:4 error no anchor &none comes before it' },
  {
    name: 'an alias that contains itself',
    text: 'a: &x [1, *x]\n',
    problem: '1:11 error the alias *x contains itself',
  },
  {
    name: 'a merge of a scalar',
    text: 'a: &x 1\nb:\n  <<: *x\n',
    problem: '3:7 error only maps can be merged with <<',
  },
  {
    name: 'a map as a key',
    text: '? [a, b]\n: c\n',
    problem: '1:3 error a key is no plain name | expected: name: value',
  },
  {
    name: 'an unset variable',
    text: `a: 1\nb:\n  - x\n  - \${NONE}\n`,
    problem: `4:5 error the environment variable NONE is not set | expected: a value for it, or a default: \${NONE:-default}`,
  },
]) {
  test(`${name} is a problem with its place`, () => {
    assert.deepEqual(read(text).problems.map(summarize), [problem])
  })
}

test('brackets nested by the thousand are a problem, not an exception', () => {
  const { problems } = read('['.repeat(20_000))
  assert.equal(problems[0]?.message, 'the values are nested too deeply')
})

test('maps that are nested too deeply for any configuration are a problem', () => {
  const text = Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')
  assert.deepEqual(
    read(text).problems.map(({ message }) => message),
    ['more than 64 levels deep'],
  )
})

test('a bomb of aliases is defused', () => {
  const bomb = Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1},`.repeat(9)}]\n`)
  const { problems } = read(bomb.join(''))
  assert.equal(problems.length, 1)
  assert.match(problems[0]?.message ?? '', /^aliases expand to more than 200000 values$/)
})

test('thousands of plain uses of one anchor are no bomb', () => {
  const uses = Array.from({ length: 3000 }, (_, i) => `u${i}: *t\n`)
  const { problems, value } = read(`t: &t { connect: 5s, response: 60s }\n${uses.join('')}`)
  assert.deepEqual(problems, [])
  assert.equal(Object.keys(value as object).length, 3001)
})

for (const { name, text, value } of [
  { name: 'an empty text has no value', text: '', value: null },
  { name: 'comments alone have no value', text: '# nothing\n', value: null },
  { name: 'an alias is what it stands for', text: 'a: &x { b: 1 }\nc: *x\n', value: { a: { b: 1 }, c: { b: 1 } } },
  {
    name: 'own keys win over merged ones, and earlier merges over later',
    text: 'x: &x { a: 1, b: 1 }\ny: &y { b: 2, c: 2 }\nz:\n  <<: [*x, *y]\n  a: 3\n',
    value: { x: { a: 1, b: 1 }, y: { b: 2, c: 2 }, z: { a: 3, b: 1, c: 2 } },
  },
  {
    name: 'a later anchor of the same name counts from there on',
    text: 'a: &x 1\nb: *x\nc: &x 2\nd: *x\n',
    value: { a: 1, b: 1, c: 2, d: 2 },
  },
  { name: 'a number as a key is its text', text: '8000: x\n', value: { '8000': 'x' } },
  {
    name: 'a plain whole reference is a scalar of its own type',
    text: `a: \${PORT}\nb: \${SWITCH}\n`,
    value: { a: 8000, b: true },
  },
  { name: 'a quoted reference is a text', text: `a: "\${PORT}"\n`, value: { a: '8000' } },
  { name: 'a reference among other text is a text', text: `a: \${PORT}1\n`, value: { a: '80001' } },
  { name: 'an empty default is no value', text: `a: \${NONE:-}\n`, value: { a: null } },
  { name: 'what comes from the environment has no structure', text: `a: \${NESTED}\n`, value: { a: '{ a: 1 }' } },
  {
    name: 'a reference in a comment or key is left alone',
    text: `\${NONE}: 1 # \${NONE}\n`,
    value: { [`\${NONE}`]: 1 },
  },
  { name: 'references are replaced in block scalars', text: `a: |\n  x \${WORD}\n`, value: { a: 'x yes please\n' } },
  { name: 'a byte order mark is no part of the text', text: '\ufeffa: 1\n', value: { a: 1 } },
  { name: 'lines may end as on Windows', text: 'a: 1\r\nb: 2\r\n', value: { a: 1, b: 2 } },
]) {
  test(name, () => {
    const source = read(text)
    assert.deepEqual(source.problems, [])
    assert.deepEqual(source.value, value)
  })
}

test('a key of the name __proto__ is an ordinary key', () => {
  const { value } = read('__proto__: { admin: true }\n')
  assert.deepEqual(Object.keys(value as object), ['__proto__'])
  assert.equal((value as { admin?: boolean }).admin, undefined)
})

const text = `server:\r
  имя: "\u{1f600}" # x
  list:
    - a: 1
    - { b: 2, c: }
base: &base
  deep: 7
user:
  <<: *base
  own: 1
again: *base
`

for (const { name, path, at, place } of [
  { name: 'a value', path: ['server', 'list', 0, 'a'], at: 'value', place: '4:10' },
  { name: 'a key', path: ['server', 'list', 0, 'a'], at: 'key', place: '4:7' },
  { name: 'a key beside non-ASCII', path: ['server', 'имя'], at: 'value', place: '2:8' },
  { name: 'an item', path: ['server', 'list', 1], at: 'value', place: '5:7' },
  { name: 'a key in place of its empty value', path: ['server', 'list', 1, 'c'], at: 'value', place: '5:15' },
  { name: 'the key above what is missing', path: ['server', 'none', 'deeper'], at: 'value', place: '1:1' },
  { name: 'the item above what is missing', path: ['server', 'list', 1, 'none'], at: 'value', place: '5:7' },
  { name: 'a value that was merged in', path: ['user', 'deep'], at: 'value', place: '7:9' },
  { name: 'a value behind an alias', path: ['again', 'deep'], at: 'value', place: '7:9' },
  { name: 'the root', path: [], at: 'value', place: '1:1' },
  { name: 'nothing where not even the section is there', path: ['ssl', 'port'], at: 'value', place: undefined },
] satisfies { name: string; path: KeyPath; at: 'key' | 'value'; place: string | undefined }[]) {
  test(`the place of ${name} is found`, () => {
    const found = read(text).findPlace(path, at)
    assert.equal(found && `${found.line}:${found.column}`, place)
  })
}

test('a line that is too long to show is left out', () => {
  const place = read(`a: "${'x'.repeat(5000)}"\n`).findPlace(['a'], 'value')
  assert.deepEqual(place, { line: 1, column: 4, sourceLine: '' })
})

test('a source line comes without its line break', () => {
  assert.equal(read(text).findPlace(['server'], 'key')?.sourceLine, 'server:')
})
