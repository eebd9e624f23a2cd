import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exactPath, redirectTarget, routePath } from '../../../src/config/schema/url-path.ts'
import { compileRedirects } from '../../../src/routing/redirects.ts'
import { compileRouteTable } from '../../../src/routing/route-table.ts'
import { isRefused, readWith } from './read-with.ts'

for (const [value, result] of [
  ['/', '/'],
  ['/api', '/api'],
  ['/api/', '/api'],
  ['/a/b.c/~d', '/a/b.c/~d'],
  ['/a%2fb', '/a%2Fb'],
  ['/путь', '/%D0%BF%D1%83%D1%82%D1%8C'],
  ['/a...', '/a...'],
] as const) {
  test(`the route path ${value} is ${result}`, () => assert.equal(readWith(routePath(), value), result))
}

for (const { value, expected } of [
  { value: 'api', expected: 'a path that starts with a slash' },
  { value: '', expected: 'a path that starts with a slash' },
  { value: 5, expected: 'a path that starts with a slash' },
  { value: '/a?b', expected: 'a path without ? and #' },
  { value: '/a#b', expected: 'a path without ? and #' },
  { value: '/a b', expected: 'a path without spaces and backslashes' },
  { value: '/a\\b', expected: 'a path without spaces and backslashes' },
  { value: '/a\nb', expected: 'a path without spaces and backslashes' },
  { value: '/a//b', expected: 'a path without doubled slashes' },
  { value: '//', expected: 'a path without doubled slashes' },
  { value: '/api/*', expected: 'a prefix' },
  { value: '/100%', expected: 'escapes of two hexadecimal digits' },
  { value: '/%zz', expected: 'escapes of two hexadecimal digits' },
  { value: '/%00', expected: 'a path without escaped control characters and backslashes' },
  { value: '/%5c', expected: 'a path without escaped control characters and backslashes' },
  { value: '/a/../b', expected: 'a path without "." and ".." segments' },
  { value: '/.', expected: 'a path without "." and ".." segments' },
  { value: '/a/%2e%2E/b', expected: 'a path without "." and ".." segments' },
  { value: '/a/..;x', expected: 'a path without "." and ".." segments' },
  { value: '/a/..%2fx', expected: 'a path without "." and ".." segments' },
]) {
  test(`${JSON.stringify(value)} is no route path`, () => assert.deepEqual(readWith(routePath(), value), { expected }))
}

test('an exact path keeps its trailing slash and may end with a star', () => {
  assert.equal(exactPath('/a/'), '/a/')
  assert.equal(exactPath('/a/*'), '/a/*')
  assert.equal(typeof exactPath('a'), 'object')
})

test('a redirect leads to a path or an http URL', () => {
  assert.equal(readWith(redirectTarget(), '/index.html?a=b#c'), '/index.html?a=b#c')
  assert.equal(readWith(redirectTarget(), 'https://example.com'), 'https://example.com')
  assert.equal(readWith(redirectTarget(), '/путь'), '/%D0%BF%D1%83%D1%82%D1%8C')
  for (const value of ['', 'index.html', 'javascript:alert(1)', 'ftp://a/', 'http://', '/a b', '/a\r\nX: y', 5]) {
    assert.ok(isRefused(redirectTarget(), value), String(value))
  }
})

const pathText = fc.array(
  fc.constantFrom('/', '.', '%', '2', 'e', 'F', 'a', ';', 'б', '~', '\\', ' ', '?', '*', '\ud800'),
)

test('the router takes every path that is accepted here', () => {
  fc.assert(
    fc.property(pathText, (characters) => {
      const text = `/${characters.join('')}`
      const { data: path } = routePath().safeParse(text)
      const rule = { domains: [], methods: [], encodedSlashes: 'keep', stripPath: true } as const
      if (path !== undefined) compileRouteTable([{ rule: { ...rule, path }, value: 1 }])
      const from = exactPath(text)
      const { data: to } = redirectTarget().safeParse(text)
      if (typeof from === 'string' && to !== undefined) compileRedirects([{ from, to }])
    }),
    { numRuns: 2000 },
  )
})
