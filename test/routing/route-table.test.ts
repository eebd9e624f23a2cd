import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRequestTarget } from '../../src/routing/request-target.ts'
import { compileRouteTable, type RouteRule } from '../../src/routing/route-table.ts'

function rule(path: string, rest: Partial<RouteRule> = {}): RouteRule {
  return { path, domains: [], methods: [], stripPath: true, encodedSlashes: 'keep', ...rest }
}

function compile(...rules: RouteRule[]) {
  return compileRouteTable(rules.map((each) => ({ rule: each, value: each })))
}

interface Wanted {
  readonly host?: string
  readonly target: string
  readonly method?: string
}

function match(rules: readonly RouteRule[], { host = 'any.example', target, method = 'GET' }: Wanted) {
  return compile(...rules).match(host, parseRequestTarget(target), method)
}

const api = [rule('/api/v2'), rule('/api'), rule('/api/v1')]

for (const { name, target, route } of [
  { name: 'a prefix matches itself', target: '/api', route: '/api' },
  { name: 'a prefix matches itself with a slash', target: '/api/', route: '/api' },
  { name: 'a prefix matches what is under it', target: '/api/users', route: '/api' },
  { name: 'a longer word is another path', target: '/apifoo', route: undefined },
  { name: 'the longest prefix wins', target: '/api/v2/x', route: '/api/v2' },
  { name: 'a longer word falls back to the shorter prefix', target: '/api/v20', route: '/api' },
  { name: 'paths are compared with their case', target: '/API', route: undefined },
  { name: 'doubled slashes do not slip past a prefix', target: '//api//v2', route: '/api/v2' },
  { name: 'an escaped letter does not slip past a prefix', target: '/%61pi/%762', route: '/api/v2' },
  { name: 'a dot segment does not slip past a prefix', target: '/x/../api/./v2', route: '/api/v2' },
  { name: 'an escaped slash ends no segment', target: '/api%2Fv2', route: undefined },
  { name: 'the query is not part of the path', target: '/api?/v2', route: '/api' },
  { name: 'a name of Object.prototype is a path like another', target: '/__proto__/constructor', route: undefined },
]) {
  for (const rules of [api, api.toReversed()]) {
    test(`${name}, ${rules === api ? 'written first to last' : 'written last to first'}`, () => {
      const found = match(rules, { target })
      assert.equal(found.kind === 'route' ? found.value.path : undefined, route)
    })
  }
}

for (const { name, path = '/api', target, sent } of [
  { name: 'the prefix alone leaves the root', target: '/api', sent: '/' },
  { name: 'the prefix and a slash leave the root', target: '/api/', sent: '/' },
  { name: 'the prefix and a query leave the root with the query', target: '/api?x', sent: '/?x' },
  { name: 'an empty query stays', target: '/api/a?', sent: '/a?' },
  {
    name: 'the rest and the query go byte for byte',
    target: '/api/%7Eb//c;d?e=%zz&e=+&f',
    sent: '/%7Eb//c;d?e=%zz&e=+&f',
  },
  { name: 'doubled slashes before the prefix go with it', target: '//api//x', sent: '//x' },
  { name: 'doubled slashes inside of the prefix go with it', path: '/a/b', target: '//a///b/x', sent: '/x' },
  { name: 'an escaped prefix is taken off', target: '/%61pi/x', sent: '/x' },
  { name: 'the path is resolved before the prefix is taken off', target: '/y/../api/z/../x', sent: '/x' },
  { name: 'the root prefix takes nothing off', path: '/', target: '//api/x?y', sent: '//api/x?y' },
  { name: 'a slash in the query is not taken for the path', path: '/api', target: '/api?/b/c', sent: '/?/b/c' },
  { name: 'only the prefix is taken off, once', target: '/api/api/x', sent: '/api/x' },
  { name: 'an absolute form is sent as a path', target: 'http://a.example/api/x?y', sent: '/x?y' },
]) {
  test(`stripping: ${name}`, () => {
    const found = match([rule(path)], { target })
    assert.equal(found.kind === 'route' ? found.path : found.kind, sent)
  })
}

test('a route that does not strip sends the resolved path as it came', () => {
  const found = match([rule('/api', { stripPath: false })], { target: '//api/%61/../b//c?d' })
  assert.equal(found.kind === 'route' ? found.path : undefined, '//api/b//c?d')
})

const hosts = [
  rule('/', { domains: ['*.example.com'] }),
  rule('/', { domains: ['*.b.example.com'] }),
  rule('/', { domains: ['a.example.com', '[::1]', 'пример.рф'] }),
  rule('/only-here', { domains: ['c.example.com'] }),
  rule('/', { domains: [] }),
]

for (const { name, host, domain } of [
  { name: 'an exact host comes before a wildcard', host: 'a.example.com', domain: 'a.example.com' },
  { name: 'case, port and trailing dot do not matter', host: 'A.Example.com.:8443', domain: 'a.example.com' },
  { name: 'a wildcard takes one label', host: 'x.example.com', domain: '*.example.com' },
  { name: 'a wildcard takes several labels', host: 'x.y.example.com', domain: '*.example.com' },
  { name: 'the longest wildcard wins', host: 'x.b.example.com', domain: '*.b.example.com' },
  { name: 'a wildcard does not take its own name', host: 'example.com', domain: undefined },
  { name: 'a wildcard takes whole labels', host: 'badexample.com', domain: undefined },
  { name: 'a wildcard takes no empty label', host: '.example.com', domain: undefined },
  { name: 'any other host goes to the routes for any', host: 'other.test', domain: undefined },
  { name: 'no host goes to the routes for any', host: '', domain: undefined },
  { name: 'an exact host without the path falls to the wildcard', host: 'c.example.com', domain: '*.example.com' },
  { name: 'an IPv6 literal is a host', host: '[::1]:8000', domain: 'a.example.com' },
  { name: 'a name outside of ascii matches its punycode', host: 'xn--e1afmkfd.xn--p1ai', domain: 'a.example.com' },
  { name: 'a name of Object.prototype is a host like another', host: '__proto__', domain: undefined },
  { name: 'a host longer than names can be is no host', host: `${'a.'.repeat(8000)}example.com`, domain: undefined },
]) {
  test(`hosts: ${name}`, () => {
    const found = match(hosts, { host, target: '/x' })
    assert.equal(found.kind === 'route' ? found.value.domains[0] : found.kind, domain)
  })
}

const methods = [
  rule('/a/b', { methods: ['POST'] }),
  rule('/a', { methods: ['GET'] }),
  rule('/c'),
  rule('/c', { methods: ['PUT'] }),
  rule('/c', { methods: ['HEAD'], domains: ['h.example'] }),
  rule('/c', { methods: ['GET'], domains: ['h.example'] }),
]

for (const { name, host, method, target, route } of [
  { name: 'the method is part of the match', method: 'POST', target: '/a/b', route: 0 },
  { name: 'a method that is not listed falls to the shorter prefix', method: 'GET', target: '/a/b', route: 1 },
  { name: 'HEAD goes where GET goes', method: 'HEAD', target: '/a', route: 1 },
  { name: 'a method that no prefix lists has no route', method: 'DELETE', target: '/a/b', route: undefined },
  { name: 'methods are compared with their case', method: 'get', target: '/a', route: undefined },
  { name: 'a route that lists the method comes before one that takes any', method: 'PUT', target: '/c', route: 3 },
  { name: 'a method that is not listed goes to the one that takes any', method: 'GET', target: '/c', route: 2 },
  {
    name: 'a route that lists HEAD comes before one that lists GET',
    host: 'h.example',
    method: 'HEAD',
    target: '/c',
    route: 4,
  },
  { name: 'a host without the method falls to any host', host: 'h.example', method: 'POST', target: '/c', route: 2 },
]) {
  test(`methods: ${name}`, () => {
    const found = match(methods, { host: host ?? 'any.example', method, target })
    assert.equal(found.kind === 'route' ? methods.indexOf(found.value) : undefined, route)
  })
}

test('of two routes that take the same requests the first stays', () => {
  const rules = [rule('/a', { stripPath: false }), rule('/a')]
  const found = match(rules, { target: '/a' })
  assert.equal(found.kind === 'route' ? found.value : undefined, rules[0])
})

test('a route may refuse escaped slashes, others pass them on', () => {
  const rules = [rule('/safe', { encodedSlashes: 'refuse' }), rule('/')]
  assert.equal(match(rules, { target: '/safe/a%2fb' }).kind, 'bad')
  assert.equal(match(rules, { target: '/safe/a' }).kind, 'route')
  assert.deepEqual(match(rules, { target: '/npm/@a%2fb' }), { kind: 'route', value: rules[1], path: '/npm/@a%2fb' })
})

test('a bad target is no route', () => {
  assert.equal(match([rule('/')], { target: '/../x' }).kind, 'bad')
})

test('an asterisk goes to the root route, with OPTIONS only', () => {
  const found = match([rule('/')], { target: '*', method: 'OPTIONS' })
  assert.equal(found.kind === 'route' ? found.path : undefined, '*')
  assert.equal(match([rule('/')], { target: '*', method: 'GET' }).kind, 'bad')
  assert.equal(match([rule('/api')], { target: '*', method: 'OPTIONS' }).kind, 'no_route')
})

test('a route prefix is read as a request path is', () => {
  for (const path of ['/caf%c3%a9', '/café', '/caf%C3%A9/']) {
    const found = match([rule(path)], { target: '/caf%c3%A9/x' })
    assert.equal(found.kind === 'route' ? found.path : undefined, '/x')
  }
})

test('a route prefix that is no path is refused', () => {
  for (const path of ['api', '/a/../../b', '/a%', '*', '/a\\b', 'http://a.example/']) {
    assert.throws(() => compile(rule(path)), /route path/)
  }
})

test('a match among 10,000 routes takes the steps of one among 10', (t) => {
  const steps = [10, 10_000].map((count) => {
    const rules = Array.from({ length: count }, (_, i) => rule(`/tenants/t${i}/api`, { methods: ['GET'] }))
    const named = Array.from({ length: count }, (_, i) =>
      rule('/app', { domains: [`h${i}.example`, `*.w${i}.example`] }),
    )
    const table = compile(...rules, ...named)
    const lookups = t.mock.method(Map.prototype, 'get')
    for (const [host, target] of [
      ['x.test', '/tenants/t7/api/users/1'],
      ['h3.example', '/app'],
      ['a.b.w3.example', '/app/x'],
      ['x.test', '/nothing'],
    ] as const) {
      table.match(host, parseRequestTarget(target), 'GET')
    }
    const seen = lookups.mock.callCount()
    lookups.mock.restore()
    return seen
  })
  assert.equal(steps[0], steps[1])
  assert.ok((steps[0] ?? 0) < 40, `${steps[0]} lookups for four matches`)
})

test('a long path and a long host cost no more steps than the routes are deep', (t) => {
  const table = compile(rule('/a/b', { domains: ['*.example.com'] }), rule('/a'))
  const lookups = t.mock.method(Map.prototype, 'get')
  table.match('a.'.repeat(8000), parseRequestTarget('/a'.repeat(8000)), 'GET')
  const seen = lookups.mock.callCount()
  lookups.mock.restore()
  assert.ok(seen < 10, `${seen} lookups`)
})

const segment = fc.constantFrom('api', '%61pi', 'v2', 'a%2Fb', 'x', '..', '.', '%2e%2E', '')
const paths = fc.array(segment, { minLength: 1, maxLength: 8 }).map((segments) => `/${segments.join('/')}`)

test('the prefix and what is sent make the path that was matched', () => {
  fc.assert(
    fc.property(paths, fc.constantFrom('', '?', '?q=/api'), (path, query) => {
      const target = parseRequestTarget(path + query)
      const rules = [rule('/'), rule('/api'), rule('/api/v2'), rule('/x/api')]
      const found = compile(...rules).match('', target, 'GET')
      if (target.kind !== 'path') return assert.equal(found.kind, 'bad')
      assert.ok(found.kind === 'route')
      assert.ok(found.path.startsWith('/') && found.path.endsWith(query))
      const prefix = found.value.path === '/' ? '' : found.value.path
      const whole = parseRequestTarget(prefix + found.path)
      const slashless = (text: string) => text.replace(/(.)\/$/, '$1')
      assert.equal(slashless(whole.kind === 'path' ? whole.matchPath : whole.kind), slashless(target.matchPath))
    }),
  )
})
