import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCookie } from '../src/cookie.ts'

for (const { name, headers, value } of [
  { name: 'the only cookie is found', headers: ['Cookie', 'lb=x'], value: 'x' },
  { name: 'one among others is found', headers: ['cookie', 'a=1; lb=x; b=2'], value: 'x' },
  { name: 'one in a second field is found', headers: ['Cookie', 'a=1', 'Host', 'h', 'COOKIE', 'lb=x'], value: 'x' },
  { name: 'the first of two is meant', headers: ['Cookie', 'lb=x; lb=y'], value: 'x' },
  { name: 'spaces are not needed, and not part of the value', headers: ['Cookie', 'a=1;lb=x ;b=2'], value: 'x' },
  { name: 'a value may be empty, or have equals signs', headers: ['Cookie', 'lb==a='], value: '=a=' },
  { name: 'a longer name is another', headers: ['Cookie', 'xlb=1; lbx=2; LB=3'], value: undefined },
  { name: 'a name without a value is none', headers: ['Cookie', 'lb; lb'], value: undefined },
  { name: 'a value that looks like it is none', headers: ['Cookie', 'a=lb=x', 'X-Cookie', 'lb=y'], value: undefined },
]) {
  test(name, () => assert.equal(findCookie(headers, 'lb'), value))
}
