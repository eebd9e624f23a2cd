import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileFieldTable, findField } from '../../../src/proxy/headers/field-table.ts'

const long = `x-${'a'.repeat(80)}`
const table = compileFieldTable(
  new Map([
    ['te', 'a'],
    ['x-real-ip', 'b'],
    ['x_own', 'c'],
    [long, 'd'],
  ] as const),
  'variant',
)

for (const { name, field, kind } of [
  { name: 'a name', field: 'te', kind: 'a' },
  { name: 'a name in another case', field: 'TE', kind: 'a' },
  { name: 'another name of the same length and letter', field: 'to', kind: undefined },
  { name: 'another name of the same length', field: 'ip', kind: undefined },
  { name: 'a name with underscores for hyphens', field: 'X_Real-IP', kind: 'variant' },
  { name: 'a name that has an underscore of its own', field: 'X_Own', kind: 'c' },
  { name: 'a name with other underscores', field: 'x_real_xx', kind: undefined },
  { name: 'a long name', field: long.toUpperCase(), kind: 'd' },
  { name: 'another long name', field: `${long}a`, kind: undefined },
  { name: 'a name of Object.prototype', field: 'constructor', kind: undefined },
  { name: 'no name', field: '', kind: undefined },
]) {
  test(`${name} is ${kind === undefined ? 'not found' : `found as ${kind}`}`, () => {
    assert.equal(findField(table, field), kind)
  })
}

test('variants count only where they are asked for', () => {
  const strict = compileFieldTable(new Map([['x-real-ip', 'a']] as const))
  assert.equal(findField(strict, 'x_real_ip'), undefined)
  assert.equal(findField(strict, 'X-Real-Ip'), 'a')
})
