import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileHeaderRules } from '../../../src/proxy/headers/header-rules.ts'

test('names are known in lower case, and set as they are written', () => {
  const { set, names } = compileHeaderRules({ set: [['X-One', '1']], remove: ['server'] })
  assert.deepEqual(set, ['X-One', '1'])
  assert.deepEqual([...names], ['x-one', 'server'])
})

test('fields of the connection and of framing are out of reach', () => {
  const protectedNames = [
    'Connection',
    'content-length',
    'Transfer-Encoding',
    'TE',
    'Trailer',
    'Upgrade',
    'Keep-Alive',
    'Expect',
  ]
  const { set, names } = compileHeaderRules({
    set: protectedNames.map((name) => [name, 'x'] as const),
    remove: protectedNames.map((name) => name.toLowerCase()),
  })
  assert.deepEqual(set, [])
  assert.equal(names.size, 0)
})

test('a name that is no token is refused', () => {
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'é']) {
    assert.throws(() => compileHeaderRules({ set: [[name, 'x']], remove: [] }), /invalid field name/)
    assert.throws(() => compileHeaderRules({ set: [], remove: [name] }), /invalid field name/)
  }
})

test('text beyond ascii is sent as UTF-8', () => {
  const { set } = compileHeaderRules({ set: [['X-Name', 'привет']], remove: [] })
  assert.equal(Buffer.from(set[1] ?? '', 'latin1').toString('utf8'), 'привет')
})

test('no value can end a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const { set } = compileHeaderRules({ set: [['X-Name', value]], remove: [] })
      assert.match(set[1] ?? '', /^[\x20-\x7e\x80-\xff]*$/)
    }),
  )
})
