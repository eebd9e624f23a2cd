import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileRedirect, compileRedirects, locate } from '../../src/routing/redirects.ts'
import { parseRequestTarget } from '../../src/routing/request-target.ts'

for (const { name, to, target, location } of [
  { name: 'a path is the location', to: '/index.html', target: '/home', location: '/index.html' },
  {
    name: 'an absolute URL is the location',
    to: 'https://a.example/x',
    target: '/home',
    location: 'https://a.example/x',
  },
  { name: 'the query goes along', to: '/x', target: '/home?a=%zz&a', location: '/x?a=%zz&a' },
  { name: 'the query joins one that is there', to: '/x?b=1', target: '/home?a', location: '/x?b=1&a' },
  { name: 'an open query is joined as it is', to: '/x?next=1&', target: '/home?a', location: '/x?next=1&a' },
  { name: 'the query comes before the fragment', to: '/x#top', target: '/home?a', location: '/x?a#top' },
  { name: 'a question mark in the fragment is no query', to: '/x#a?b', target: '/home?a', location: '/x?a#a?b' },
  { name: 'an empty query adds nothing', to: '/x', target: '/home?', location: '/x' },
  { name: 'bytes above ascii are escaped', to: '/x', target: '/home?\xd0\xbf', location: '/x?%D0%BF' },
  {
    name: 'a location outside of ascii is escaped',
    to: '/путь',
    target: '/home',
    location: '/%D0%BF%D1%83%D1%82%D1%8C',
  },
  { name: 'a line break is escaped', to: '/x\r\nSet-Cookie: a', target: '/home', location: '/x%0D%0ASet-Cookie:%20a' },
]) {
  test(name, () => {
    assert.equal(locate(compileRedirect(to), parseRequestTarget(target)), location)
    assert.equal(compileRedirects([{ from: '/home', to }]).find(parseRequestTarget(target)), location)
  })
}

for (const { name, target, found } of [
  { name: 'only the exact path is redirected', target: '/home/x', found: false },
  { name: 'a trailing slash is another path', target: '/home/', found: false },
  { name: 'a longer word is another path', target: '/homes', found: false },
  { name: 'the resolved path counts', target: '/x/../home', found: true },
  { name: 'an escaped letter makes no other path', target: '/%68ome', found: true },
  { name: 'an asterisk is never redirected', target: '*', found: false },
  { name: 'a bad target is never redirected', target: '/../home', found: false },
]) {
  test(name, () => {
    const redirects = compileRedirects([{ from: '/home', to: '/index.html' }])
    assert.equal(redirects.find(parseRequestTarget(target)) !== undefined, found)
  })
}

test('of two redirects from one path the first stays', () => {
  const rules = [
    { from: '/a', to: '/1' },
    { from: '/a', to: '/2' },
  ]
  assert.equal(compileRedirects(rules).find(parseRequestTarget('/a')), '/1')
})

test('a redirect from what is no path is refused', () => {
  assert.throws(() => compileRedirects([{ from: 'home', to: '/x' }]), /redirect path "home"/)
})

test('no location can end a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (to, query) => {
      const target = parseRequestTarget(`/a?${query}`)
      assert.match(locate(compileRedirect(to), target), /^[\x21-\x7e]*$/)
    }),
  )
})
