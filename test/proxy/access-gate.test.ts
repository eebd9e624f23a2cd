import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccessGate } from '../../src/proxy/access-gate.ts'
import { arrive } from './arrival-stage.ts'

const NET = ['10.0.0.0/8', '2001:db8::/32']

for (const { name, allow = [], deny = [], address, passes } of [
  { name: 'an address within allow', allow: NET, address: '10.9.8.7', passes: true },
  { name: 'an IPv6 address within allow', allow: NET, address: '2001:db8::5', passes: true },
  { name: 'an address outside of allow', allow: NET, address: '11.0.0.1', passes: false },
  { name: 'an IPv4 address told as IPv6', allow: NET, address: '::ffff:10.0.0.1', passes: true },
  { name: 'an address that is denied', deny: NET, address: '10.0.0.1', passes: false },
  { name: 'an address that is not denied', deny: NET, address: '11.0.0.1', passes: true },
  { name: 'deny wins over allow', allow: NET, deny: ['10.0.66.0/24'], address: '10.0.66.1', passes: false },
  { name: 'one address alone', allow: ['192.0.2.1'], address: '192.0.2.1', passes: true },
  { name: 'its neighbour', allow: ['192.0.2.1'], address: '192.0.2.2', passes: false },
  { name: 'an address that is not known', deny: NET, address: '', passes: false },
  { name: 'what is no address', allow: NET, address: 'unknown', passes: false },
]) {
  test(`${name} is ${passes ? 'let in' : 'refused'}`, () => {
    const gate = createAccessGate({ allow, deny })
    const { arrival } = arrive()
    const verdict = gate?.enter({ ...arrival, identity: { ...arrival.identity, address } })
    assert.deepEqual(verdict, passes ? undefined : { kind: 'refuse', reason: 'forbidden', fields: [] })
  })
}

test('without rules there is no gate', () => {
  assert.equal(createAccessGate({ allow: [], deny: [] }), undefined)
})
