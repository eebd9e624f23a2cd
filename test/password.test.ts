import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, isPassword, parsePasswordHash } from '../src/password.ts'

test('a password fits its own hash, and nothing else does', async () => {
  const text = await hashPassword('correct horse')
  const hash = parsePasswordHash(text)
  assert.ok(hash !== undefined)
  assert.equal(await isPassword('correct horse', hash), true)
  assert.equal(await isPassword('correct horse ', hash), false)
  assert.equal(await isPassword('', hash), false)
  assert.notEqual(await hashPassword('correct horse'), text)
})

test('letters are the same however they are composed', async () => {
  const hash = parsePasswordHash(await hashPassword('caf\u00e9'))
  assert.ok(hash !== undefined)
  assert.equal(await isPassword('cafe\u0301', hash), true)
})

for (const { name, text } of [
  { name: 'a password in the clear', text: 'secret' },
  { name: 'another scheme', text: '$2y$10$abcdefghijklmnopqrstuv' },
  {
    name: 'a cost that would take the machine',
    text: '$scrypt$ln=24,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  },
  { name: 'a block size of nothing', text: '$scrypt$ln=15,r=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA' },
  { name: 'a cost that protects nobody', text: '$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA' },
]) {
  test(`${name} is no hash`, () => assert.equal(parsePasswordHash(text), undefined))
}
