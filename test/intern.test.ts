import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intern } from '../src/intern.ts'

test('it is the same text, whatever it looks like', () => {
  for (const text of ['127.0.0.1', '2001:db8::1', '', '0', '7', '__proto__', 'constructor', 'é']) {
    assert.equal(intern(text), text)
  }
})
