import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import { planReload } from '../../src/config/diff.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { hashPlainPassword, isPassword, parsePasswordHash } from '../../src/password.ts'
import { problemsOf } from './problems-of.ts'

const AUTH = 'auth: { type: basic, username: admin, password: secretpass }'
const PASSWORD = '$'.concat('{PASS}')
const NOTE = '2:3 note a password may be its hash: `pyserve-ts hash-password` makes it'

const locations = (...lines: string[]) =>
  ['server:', '  locations:', ...lines.map((line) => `    ${line}`), ''].join('\n')

function build(text: string, env: NodeJS.ProcessEnv = {}) {
  const draft = parseConfig(text, '/config.yaml', { env, overrides: {} })
  const config = buildConfig(draft, new Map(), 0)
  assert.ok(config, JSON.stringify(draft.report.list()))
  return config
}

test("PyServe's locations are taken as they are", async () => {
  const text = locations('/admin:', '  auth:', '    type: basic', '    username: admin', `    password: ${PASSWORD}`)
  assert.deepEqual(problemsOf(text, { env: { PASS: 'secretpass' } }), [NOTE])
  const [location, ...others] = build(text, { PASS: 'secretpass' }).locations
  assert.deepEqual(others, [])
  assert.equal(location?.path, '/admin')
  const { users, realm } = location.basicAuth
  assert.equal(realm, 'Restricted Area')
  const hash = parsePasswordHash(users[0]?.hash ?? '')
  assert.ok(hash !== undefined)
  assert.deepEqual(
    [users[0]?.name, await isPassword('secretpass', hash), await isPassword('x', hash)],
    ['admin', true, false],
  )
})

test('no password in the clear is in what was built, and none looks like a change', () => {
  const text = locations(`/admin: { ${AUTH} }`)
  assert.doesNotMatch(JSON.stringify(build(text)), /secretpass/)
  assert.equal(planReload(build(text), build(text)).kind, 'none')
  const other = planReload(build(text), build(text.replace('secretpass', 'another')))
  assert.deepEqual([other.kind, other.changedKeys], ['swap', ['server.locations']])
})

test('a hash is taken as it is', () => {
  const hash = hashPlainPassword('secret', 'here')
  const text = locations(`/admin: { auth: { type: basic, username: 1, password: "${hash}" } }`)
  assert.deepEqual(problemsOf(text), [])
  assert.deepEqual(build(text).locations[0]?.basicAuth.users, [{ name: '1', hash }])
})

for (const { text, problems } of [
  {
    text: locations('/admin: {}'),
    problems: ['3:5 error server.locations."/admin".auth is missing | expected: a map of settings'],
  },
  {
    text: locations('/admin: { auth: { type: digest, username: a, password: b } }'),
    problems: ['3:29 error invalid value "digest" for server.locations."/admin".auth.type | expected: one of basic'],
  },
  {
    text: locations('/admin: { auth: { type: basic, username: "a:b", password: "" } }'),
    problems: [
      '3:46 error invalid value "a:b" for server.locations."/admin".auth.username | expected: a name without a colon, in ASCII',
      '3:63 error invalid value "" for server.locations."/admin".auth.password | expected: a password, or its hash by `pyserve-ts hash-password`',
    ],
  },
  {
    text: locations(`admin: { ${AUTH} }`),
    problems: [
      NOTE,
      '3:5 error invalid path "admin" in server.locations | expected: a path that starts with a slash | hint: did you mean "/admin"?',
    ],
  },
  {
    text: locations(`/admin: { ${AUTH} }`, `/admin/: { ${AUTH} }`),
    problems: [NOTE, '4:5 error the location /admin stands on line 3 already'],
  },
]) {
  test(`${JSON.stringify(text)} is told what is wrong`, () => assert.deepEqual(problemsOf(text), problems))
}

test('one request cannot answer two that ask', () => {
  const hash = hashPlainPassword('secret', 'here')
  const basic = `basic: { users: { bob: "${hash}" } }`
  const route = (path: string) => `  reverse_proxy:\n    - { path: ${path}, auth: { ${basic} } }\n`
  const expected = (at: string) =>
    `3:5 error the location ${at} asks for a password, and so does the route on line 5 | expected: one of the two`
  for (const [location, path, meets] of [
    ['/admin', '/admin/x', true],
    ['/admin/x', '/admin', true],
    ['/', '/a', true],
    ['/admin', '/administrator', false],
  ] as const) {
    const problems = problemsOf(locations(`${location}: { ${AUTH} }`) + route(path))
    assert.deepEqual(problems, meets ? [NOTE, expected(location)] : [NOTE])
  }
})
