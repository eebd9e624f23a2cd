import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { hashPassword } from '../../src/password.ts'
import { createBasicAuthGate } from '../../src/proxy/basic-auth-gate.ts'
import type { Gate } from '../../src/proxy/gate.ts'
import { arrive } from './arrival-stage.ts'

let gate: Gate

before(async () => {
  const users = [
    { name: 'alice', hash: await hashPassword('wonder:land') },
    { name: 'bob', hash: await hashPassword('builder') },
  ]
  gate = createBasicAuthGate({ users, realm: 'the "inner" one' })
})

async function enter(authorization: string | undefined) {
  const { arrival } = arrive({ headers: authorization === undefined ? [] : ['Authorization', authorization] })
  const verdict = await gate.enter(arrival)
  return { verdict, fields: arrival.requestFields }
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

test('who is right is let in, and the backend is told the name', async () => {
  for (const credentials of ['alice:wonder:land', 'bob:builder', 'alice:wonder:land']) {
    const { verdict, fields } = await enter(basic(credentials))
    assert.equal(verdict, undefined)
    assert.deepEqual(fields, ['X-Remote-User', credentials.split(':')[0]])
  }
})

test('what was right is remembered, and what was wrong is not', async () => {
  await enter(basic('bob:builder'))
  const { arrival } = arrive({ headers: ['authorization', basic('bob:builder')] })
  assert.equal(gate.enter(arrival), undefined)
  const other = arrive({ headers: ['authorization', basic('bob:breaker')] })
  assert.ok(gate.enter(other.arrival) instanceof Promise)
})

for (const { name, authorization } of [
  { name: 'nothing', authorization: undefined },
  { name: 'a wrong password', authorization: basic('alice:wonder') },
  { name: "somebody else's password", authorization: basic('alice:builder') },
  { name: 'a name that is not known', authorization: basic('carol:builder') },
  { name: 'no name', authorization: basic(':builder') },
  { name: 'no colon', authorization: basic('alice') },
  { name: 'another scheme', authorization: 'Bearer abc' },
  { name: 'what is no base64', authorization: 'Basic ***' },
  { name: 'a name with a line break', authorization: basic('al\r\nice:builder') },
]) {
  test(`${name} is answered with a challenge`, async () => {
    const { verdict, fields } = await enter(authorization)
    assert.deepEqual(verdict, {
      kind: 'refuse',
      reason: 'unauthorized',
      fields: ['WWW-Authenticate', 'Basic realm="the \\"inner\\" one", charset="UTF-8"'],
    })
    assert.deepEqual(fields, [])
  })
}

test('guesses beyond what may be hashed at a time are sent away', async () => {
  const guesses = Array.from({ length: 40 }, (_, i) => enter(basic(`alice:guess ${i}`)))
  const verdicts = (await Promise.all(guesses)).map(({ verdict }) => verdict)
  const busy = verdicts.filter((verdict) => verdict?.kind === 'refuse' && verdict.reason === 'over_capacity')
  assert.equal(busy.length, 8)
})
