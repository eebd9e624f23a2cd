import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ParsedTarget, parseRequestTarget, queryOf } from '../../src/routing/request-target.ts'

function parsePath(target: string) {
  const parsed = parseRequestTarget(target)
  assert.equal(parsed.kind, 'path', `${target}: ${JSON.stringify(parsed)}`)
  return parsed as Extract<ParsedTarget, { kind: 'path' }>
}

for (const { name, target, sent, matched } of [
  { name: 'a plain path is itself', target: '/a/b', sent: '/a/b', matched: '/a/b' },
  { name: 'the root is itself', target: '/', sent: '/', matched: '/' },
  { name: 'a trailing slash stays', target: '/a/', sent: '/a/', matched: '/a/' },
  { name: 'a dot segment is resolved', target: '/a/./b/../c', sent: '/a/c', matched: '/a/c' },
  { name: 'a dot segment at the end leaves a slash', target: '/a/b/..', sent: '/a/', matched: '/a/' },
  { name: 'a single dot at the end leaves a slash', target: '/a/.', sent: '/a/', matched: '/a/' },
  { name: 'an escaped dot segment is resolved', target: '/a/%2e%2E/b', sent: '/b', matched: '/b' },
  { name: 'a half escaped dot segment is resolved', target: '/a/.%2e/%2e/b', sent: '/b', matched: '/b' },
  { name: 'a dot segment goes up one of two slashes', target: '/a//../b', sent: '/a/b', matched: '/a/b' },
  { name: 'the query stays behind a resolved path', target: '/a/../b?x=/../y', sent: '/b?x=/../y', matched: '/b' },
  {
    name: 'a hidden file is no dot segment',
    target: '/.well-known/x',
    sent: '/.well-known/x',
    matched: '/.well-known/x',
  },
  { name: 'three dots are no dot segment', target: '/.../x', sent: '/.../x', matched: '/.../x' },
  { name: 'doubled slashes are merged to match', target: '//admin///x', sent: '//admin///x', matched: '/admin/x' },
  {
    name: 'a URL in a path is sent as it came',
    target: '/img/http://x',
    sent: '/img/http://x',
    matched: '/img/http:/x',
  },
  { name: 'slashes at the end are merged to match', target: '/a//', sent: '/a//', matched: '/a/' },
  { name: 'an escaped letter is decoded to match', target: '/%61dmin', sent: '/%61dmin', matched: '/admin' },
  { name: 'an escaped at sign is decoded to match', target: '/%40x', sent: '/%40x', matched: '/@x' },
  { name: 'an escaped space stays escaped', target: '/a%20b', sent: '/a%20b', matched: '/a%20b' },
  { name: 'other escapes are compared in upper case', target: '/%d0%bf', sent: '/%d0%bf', matched: '/%D0%BF' },
  { name: 'an escaped percent is not decoded twice', target: '/%2561', sent: '/%2561', matched: '/%2561' },
  {
    name: 'a doubly escaped dot is no dot',
    target: '/a/%252e%252e/b',
    sent: '/a/%252e%252e/b',
    matched: '/a/%252e%252e/b',
  },
  { name: 'an escaped slash is no slash', target: '/a%2fb', sent: '/a%2fb', matched: '/a%2Fb' },
  {
    name: 'characters that URIs should escape pass',
    target: '/a"<>[]^`{|}',
    sent: '/a"<>[]^`{|}',
    matched: '/a"<>[]^`{|}',
  },
  { name: 'the query is kept byte for byte', target: '/a?b=%zz&c=a+b&&=?', sent: '/a?b=%zz&c=a+b&&=?', matched: '/a' },
  { name: 'an empty query stays', target: '/a?', sent: '/a?', matched: '/a' },
  { name: 'a backslash in the query passes', target: '/a?\\', sent: '/a?\\', matched: '/a' },
  { name: 'bytes above ascii in the query pass', target: '/a?\xd0\xbf', sent: '/a?\xd0\xbf', matched: '/a' },
]) {
  test(name, () => {
    const parsed = parsePath(target)
    assert.equal(parsed.uri, sent)
    assert.equal(parsed.matchPath, matched)
    assert.equal(parsed.authority, undefined)
    const question = sent.indexOf('?')
    assert.equal(parsed.queryAt, question === -1 ? sent.length : question)
    assert.equal(queryOf(parsed), question === -1 ? '' : sent.slice(question))
  })
}

for (const { name, target, authority, sent } of [
  {
    name: 'an absolute form gives its authority',
    target: 'http://a.example:81/x?y',
    authority: 'a.example:81',
    sent: '/x?y',
  },
  { name: 'its scheme is read in any case', target: 'HtTpS://a.example/x', authority: 'a.example', sent: '/x' },
  {
    name: 'an absolute form without path means the root',
    target: 'http://a.example',
    authority: 'a.example',
    sent: '/',
  },
  { name: 'it may have a query all the same', target: 'http://a.example?x', authority: 'a.example', sent: '/?x' },
  { name: 'its dot segments are resolved', target: 'http://[::1]:80/a/../b', authority: '[::1]:80', sent: '/b' },
]) {
  test(name, () => {
    const parsed = parsePath(target)
    assert.equal(parsed.authority, authority)
    assert.equal(parsed.uri, sent)
  })
}

test('an asterisk is a target of its own', () => {
  assert.equal(parseRequestTarget('*').kind, 'asterisk')
  assert.equal(queryOf(parseRequestTarget('*')), '')
})

test('an escaped slash is noticed, and only that', () => {
  assert.equal(parsePath('/a%2Fb').encodedSlash, true)
  assert.equal(parsePath('/a%2fb').encodedSlash, true)
  assert.equal(parsePath('/a%252fb').encodedSlash, false)
  assert.equal(parsePath('/a?%2f').encodedSlash, false)
  assert.equal(parsePath('/a%2fb/../c').encodedSlash, false)
  assert.equal(parsePath('/%2F/..').encodedSlash, false)
  assert.equal(parsePath('/x/../a%2fb').encodedSlash, true)
})

for (const [name, target] of [
  ['nothing', ''],
  ['a path above the root', '/..'],
  ['a path that climbs above the root on its way', '/a/../../b'],
  ['an escaped climb above the root', '/%2e%2e/b'],
  ['a climb behind an escaped slash', '/a/..%2fb'],
  ['a climb before an escaped slash', '/a/x%2F%2e%2e'],
  ['a climb with a path parameter', '/a/..;x/b'],
  ['a backslash', '/a\\b'],
  ['an escaped backslash', '/a%5cb'],
  ['an escaped zero byte', '/a%00'],
  ['a zero byte', '/a\0'],
  ['a line break', '/a\r\nX: y'],
  ['a tab', '/a\tb'],
  ['a space', '/a b'],
  ['a delete byte', '/a\x7f'],
  ['a byte above ascii', '/caf\xe9'],
  ['a fragment', '/a#b'],
  ['a fragment in the query', '/a?b#c'],
  ['a line break in the query', '/a?b\nc'],
  ['a space in the query', '/a?b c'],
  ['a character that is no byte in the query', '/a?\u2028'],
  ['an escape that ends early', '/a%2'],
  ['a percent at the end', '/a%'],
  ['an escape that is not hexadecimal', '/a%zz'],
  ['the authority form', 'example.com:443'],
  ['a relative path', 'a/b'],
  ['another scheme', 'ftp://a.example/'],
  ['an absolute form without authority', 'http:///x'],
  ['an absolute form with a user part', 'http://u@a.example/x'],
  ['an absolute form with a bad port', 'http://a.example:99999/'],
  ['an absolute form with an open bracket', 'http://[/'],
  ['an absolute form with a fragment', 'http://a.example#x'],
  ['an asterisk with more behind it', '*/x'],
] as const) {
  test(`${name} is a bad target`, () => {
    const parsed = parseRequestTarget(target)
    assert.equal(parsed.kind, 'bad')
    assert.match(parsed.kind === 'bad' ? parsed.detail : '', /^[\x20-\x7e]+$/)
  })
}

const hostile = fc
  .array(
    fc.constantFrom('/', '//', '.', '..', '%2e', '%2E', '%2f', '%2F', 'a', 'B', '%61', '%C3', ';', '~', '%25', '%'),
    {
      maxLength: 14,
    },
  )
  .map((parts) => `/${parts.join('')}`)

test('what is sent has no dot segment, whatever the path', () => {
  fc.assert(
    fc.property(hostile, (target) => {
      const parsed = parseRequestTarget(target)
      if (parsed.kind !== 'path') return
      const segments = parsed.uri.split('/').map((segment) => segment.replaceAll(/%2e/gi, '.'))
      assert.ok(!segments.includes('.') && !segments.includes('..'), parsed.uri)
    }),
  )
})

test('what is matched is what a resolver of RFC 3986 makes of it', () => {
  fc.assert(
    fc.property(hostile, (target) => {
      const parsed = parseRequestTarget(target)
      if (parsed.kind !== 'path') return
      const url = new URL(`http://a.example${target}`)
      assert.equal(parsed.uri, url.pathname)
    }),
  )
})

test('a second proxy reads the same path out of what is sent', () => {
  fc.assert(
    fc.property(hostile, fc.constantFrom('', '?', '?a=%zz', '?/../x'), (path, query) => {
      const first = parseRequestTarget(path + query)
      if (first.kind !== 'path') return
      assert.deepEqual(parseRequestTarget(first.uri), first)
      assert.equal(queryOf(first), query)
    }),
  )
})

test('nothing that comes out can end a line or begin another word', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const parsed = parseRequestTarget(`/${text}`)
      if (parsed.kind === 'path') assert.match(parsed.uri, /^\/[\x21-\x7e\x80-\xff]*$/)
    }),
  )
})
