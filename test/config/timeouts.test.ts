import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './problems-of.ts'

const route = (keys: string) => `server:\n  reverse_proxy:\n    - { path: /a, ${keys} }\n`
const EXPECTED = '| expected: at most the time for the whole exchange'

for (const { keys, problems } of [
  { keys: 'timeouts: { total: 10s }', problems: [] },
  { keys: 'timeouts: { connect: 10s, response: 10s, idle: 10s, total: 10s }', problems: [] },
  { keys: 'timeouts: { response: 10m, total: 0 }', problems: [] },
  { keys: 'timeouts: { websocket_idle: 1h, total: 10s }', problems: [] },
  {
    keys: 'timeouts: { connect: 11s, response: 1m, total: 10s }',
    problems: [
      `3:40 error timeouts.connect of 11000 ms is longer than timeouts.total of 10000 ms ${EXPECTED}`,
      `3:55 error timeouts.response of 60000 ms is longer than timeouts.total of 10000 ms ${EXPECTED}`,
    ],
  },
  {
    keys: 'queue: { timeout: 20s }, timeouts: { total: 10s }',
    problems: [`3:37 error queue.timeout of 20000 ms is longer than timeouts.total of 10000 ms ${EXPECTED}`],
  },
]) {
  test(`${keys} has ${problems.length} problems`, () => assert.deepEqual(problemsOf(route(keys)), problems))
}
