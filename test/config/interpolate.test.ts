import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interpolate } from '../../src/config/interpolate.ts'

const env = { PORT: '8000', EMPTY: '', HOST: 'a.internal', TRICK: `\${HOST}` }

for (const { text, result, whole } of [
  { text: 'plain', result: 'plain', whole: false },
  { text: `\${PORT}`, result: '8000', whole: true },
  { text: `\${HOST}:\${PORT}`, result: 'a.internal:8000', whole: false },
  { text: `x\${PORT}`, result: 'x8000', whole: false },
  { text: `\${PORT} `, result: '8000 ', whole: false },
  { text: `\${NO:-3000}`, result: '3000', whole: true },
  { text: `\${EMPTY:-3000}`, result: '3000', whole: true },
  { text: `\${EMPTY}`, result: '', whole: true },
  { text: `\${NO:-}`, result: '', whole: true },
  { text: `\${NO:-a:-b}`, result: 'a:-b', whole: true },
  { text: `\${TRICK}`, result: `\${HOST}`, whole: true },
  { text: `$\${PORT}`, result: `\${PORT}`, whole: false },
  { text: '$$', result: '$', whole: false },
  { text: '$5 and $', result: '$5 and $', whole: false },
  { text: `$$\${PORT}`, result: '$8000', whole: false },
]) {
  test(`${text} becomes ${result || 'nothing'}`, () => {
    const interpolation = interpolate(text, env)
    assert.ok(interpolation.ok)
    assert.equal(interpolation.text, result)
    assert.equal(interpolation.whole, whole)
  })
}

for (const { text, message, hint } of [
  { text: `\${HOSTS}`, message: 'the environment variable HOSTS is not set', hint: 'did you mean "HOST"?' },
  { text: `a \${UNKNOWN_THING} b`, message: 'the environment variable UNKNOWN_THING is not set', hint: undefined },
  { text: `\${PORT`, message: `a reference begins with \${ and does not end`, hint: /\$\$/ },
  { text: `\${}`, message: `invalid reference \${}`, hint: /\$\$/ },
  { text: `\${1A}`, message: `invalid reference \${1A}`, hint: /\$\$/ },
  { text: `\${PORT-1}`, message: `invalid reference \${PORT-1}`, hint: /\$\$/ },
  { text: `\${NO:-\${PORT}}`, message: `invalid reference \${NO:-\${PORT}`, hint: /\$\$/ },
]) {
  test(`${text} is refused`, () => {
    const interpolation = interpolate(text, env)
    assert.ok(!interpolation.ok)
    assert.equal(interpolation.message, message)
    if (hint instanceof RegExp) assert.match(interpolation.hint ?? '', hint)
    else assert.equal(interpolation.hint, hint)
  })
}
