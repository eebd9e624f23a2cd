import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPlainPassword } from '../../src/password.ts'
import { compileLocations } from '../../src/proxy/location-gates.ts'
import { arrive } from './arrival-stage.ts'

function at(path: string, name: string) {
  return { path, basicAuth: { users: [{ name, hash: hashPlainPassword('secret', path) }], realm: 'R' } }
}

/** Which user a request for that target needs on a route; undefined: none. */
async function whoMayCome(route: string, target: string): Promise<string | undefined> {
  const gateOf = compileLocations([at('/admin', 'admin'), at('/admin/logs', 'logs'), at('/caf%C3%A9', 'cafe')])
  const enter = async (name: string) => {
    const authorization = `Basic ${Buffer.from(`${name}:secret`).toString('base64')}`
    return gateOf(route)?.enter(arrive({ target, headers: ['Authorization', authorization] }).arrival)
  }
  if ((await gateOf(route)?.enter(arrive({ target }).arrival)) === undefined) return undefined
  for (const name of ['admin', 'logs', 'cafe']) if ((await enter(name)) === undefined) return name
  return 'nobody'
}

for (const { route, target, user } of [
  { route: '/', target: '/', user: undefined },
  { route: '/', target: '*', user: undefined },
  { route: '/', target: '/administrator', user: undefined },
  { route: '/', target: '/admin', user: 'admin' },
  { route: '/', target: '/admin?x', user: 'admin' },
  { route: '/', target: '/admin/', user: 'admin' },
  { route: '/', target: '/admin/x', user: 'admin' },
  { route: '/', target: '/%61dmin', user: 'admin' },
  { route: '/', target: '//admin', user: 'admin' },
  { route: '/', target: '/x/../admin', user: 'admin' },
  { route: '/', target: '/x/%2e%2e/admin', user: 'admin' },
  { route: '/', target: 'http://h/admin', user: 'admin' },
  { route: '/', target: '/admin;v=1/x', user: 'admin' },
  { route: '/', target: '/admin%2fx', user: 'admin' },
  { route: '/', target: '/x%2Fadmin', user: undefined },
  { route: '/', target: '/%2Fadmin', user: 'admin' },
  { route: '/', target: '/admin/logs/today', user: 'logs' },
  { route: '/', target: '/admin/logs;x', user: 'logs' },
  { route: '/', target: '/caf%c3%a9', user: 'cafe' },
  { route: '/admin', target: '/admin/x', user: 'admin' },
  { route: '/admin/x', target: '/admin/x/y', user: 'admin' },
  { route: '/admin/logs/old', target: '/admin/logs/old', user: 'logs' },
  { route: '/shop', target: '/shop', user: undefined },
]) {
  test(`${target} on the route ${route} is for ${user ?? 'everyone'}`, async () => {
    assert.equal(await whoMayCome(route, target), user)
  })
}

test('a route that no location meets has no gate', () => {
  const gateOf = compileLocations([at('/admin', 'admin')])
  assert.equal(gateOf('/shop'), undefined)
  assert.equal(gateOf('/administrator'), undefined)
  assert.notEqual(gateOf('/admin/x'), undefined)
  assert.notEqual(gateOf('/'), undefined)
})
