import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPathWithin } from '../src/path-prefix.ts'

for (const { path, prefix, isWithin } of [
  { path: '/', prefix: '/', isWithin: true },
  { path: '/a', prefix: '/', isWithin: true },
  { path: '/a', prefix: '/a', isWithin: true },
  { path: '/a/', prefix: '/a', isWithin: true },
  { path: '/a/b', prefix: '/a', isWithin: true },
  { path: '/ab', prefix: '/a', isWithin: false },
  { path: '/', prefix: '/a', isWithin: false },
]) {
  test(`${path} is ${isWithin ? '' : 'not '}within ${prefix}`, () => assert.equal(isPathWithin(path, prefix), isWithin))
}
