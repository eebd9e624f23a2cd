import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProblem } from '../../src/config/problem-format.ts'
import type { Problem } from '../../src/problem.ts'

const problem: Problem = {
  severity: 'error',
  file: 'config.yaml',
  line: 3,
  column: 3,
  sourceLine: '  prot: 8000',
  message: 'unknown key "prot" in server',
  expected: undefined,
  hint: 'did you mean "port"?',
}

test('a problem shows its place, the line, a caret under the column and what to do', () => {
  assert.equal(
    formatProblem({ ...problem, expected: 'a known key' }),
    [
      'config.yaml:3:3: error: unknown key "prot" in server',
      '    prot: 8000',
      '    ^',
      '  expected: a known key',
      '  hint: did you mean "port"?',
    ].join('\n'),
  )
})

test('a problem without lines names its origin alone', () => {
  const text = formatProblem({ ...problem, file: 'PYSERVE_PORT', line: 0, column: 0, sourceLine: '', hint: undefined })
  assert.equal(text, 'PYSERVE_PORT: error: unknown key "prot" in server')
})

for (const { name, sourceLine, column, gap } of [
  { name: 'a tab is repeated, so that the caret moves with it', sourceLine: 'a:\tb', column: 4, gap: '  \t' },
  { name: 'a Cyrillic letter is one column', sourceLine: 'имя: б', column: 6, gap: '     ' },
  { name: 'an ideograph is two columns wide', sourceLine: '名前: x', column: 5, gap: '      ' },
  {
    name: 'an emoji is one column of the file and two of the terminal',
    sourceLine: '"😀": x',
    column: 6,
    gap: '      ',
  },
  { name: 'a combining mark has no width', sourceLine: 'e\u0301: x', column: 5, gap: '   ' },
  { name: 'a column behind the end stands at the end', sourceLine: 'ab', column: 9, gap: '  ' },
]) {
  test(name, () => {
    const [, source, caret] = formatProblem({ ...problem, sourceLine, column }).split('\n')
    assert.equal(source, `  ${sourceLine}`)
    assert.equal(caret, `  ${gap}^`)
  })
}

test('a long line is cut around the column', () => {
  const sourceLine = `${'a'.repeat(500)}X${'b'.repeat(500)}`
  const [, source = '', caret = ''] = formatProblem({ ...problem, sourceLine, column: 501 }).split('\n')
  assert.ok(source.length < 160)
  assert.ok(source.trim().startsWith('…') && source.endsWith('…'))
  assert.equal(source[caret.indexOf('^')], 'X')
})

test('no control character of a file reaches the terminal', () => {
  const text = formatProblem({
    ...problem,
    sourceLine: 'a: \u001b[31mred\u009b1m',
    message: 'bad \u001b]0;title\u0007 \u202e',
    hint: 'x\r\ny',
  })
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
})
