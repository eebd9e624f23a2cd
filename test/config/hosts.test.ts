import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findUnresolvedHosts } from '../../src/config/hosts.ts'

function failWith(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(code), { code }))
}

test('a name that does not resolve is found, with the reason', async () => {
  const lookup = (host: string) => {
    if (host === 'a.internal') return failWith('ENOTFOUND')
    return host === 'b.internal' ? failWith('EAI_AGAIN') : Promise.resolve('10.0.0.1')
  }
  const unresolved = await findUnresolvedHosts(['a.internal', 'b.internal', 'c.internal'], { timeoutMs: 5000, lookup })
  assert.deepEqual(Object.fromEntries(unresolved), {
    'a.internal': 'no such name',
    'b.internal': 'the lookup failed with EAI_AGAIN',
  })
})

test('addresses are not looked up, and names once', async () => {
  const asked: string[] = []
  const lookup = async (host: string) => asked.push(host)
  await findUnresolvedHosts(['10.0.0.1', '::1', 'a.internal', 'a.internal'], { timeoutMs: 5000, lookup })
  assert.deepEqual(asked, ['a.internal'])
})

test('a resolver that does not answer holds nothing up for longer than the bound', async () => {
  const never = new Promise(() => {})
  const unresolved = await findUnresolvedHosts(['a.internal'], { timeoutMs: 10, lookup: () => never })
  assert.deepEqual(Object.fromEntries(unresolved), { 'a.internal': 'no answer within 0.01 s' })
})

test('a slow resolver is asked little at once, and no more when time is up', async () => {
  const asked: string[] = []
  const lookup = (host: string) => {
    asked.push(host)
    return new Promise(() => {})
  }
  const hosts = Array.from({ length: 100 }, (_, i) => `h${i}.internal`)
  const unresolved = await findUnresolvedHosts(hosts, { timeoutMs: 10, lookup })
  assert.equal(asked.length, 8)
  assert.equal(unresolved.size, 8)
})

test('the system knows localhost', async () => {
  assert.equal((await findUnresolvedHosts(['localhost'], { timeoutMs: 5000 })).size, 0)
})
