import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listUnknownVariables, parseTemplate } from '../src/header-template.ts'

for (const { name, text, parts } of [
  { name: 'a plain text', text: 'max-age=60', parts: undefined },
  { name: 'braces around anything else', text: '{"a":{"b":1}} {} {A}', parts: undefined },
  { name: 'a variable alone', text: '{host}', parts: [{ variable: 'host' }] },
  {
    name: 'variables among text',
    text: '{scheme}://{host}/',
    parts: [{ variable: 'scheme' }, '://', { variable: 'host' }, '/'],
  },
  { name: 'doubled braces', text: 'a {{host}} b', parts: ['a ', '{host}', ' b'] },
]) {
  test(`${name} is read`, () => assert.deepEqual(parseTemplate(text), parts))
}

test('names that are no variables are found, unless their braces are doubled', () => {
  assert.deepEqual(listUnknownVariables('{hots} {host} {{any}} {user}'), ['hots', 'user'])
})
