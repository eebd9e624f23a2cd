import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { HealthChecks } from '../../src/health/health-checks.ts'
import { startHttpBackend } from '../helpers/backends.ts'
import { waitFor } from '../helpers/wait.ts'
import { checkOf, placeAt } from './check-config.ts'

const QUICK = { intervalMs: 10, unhealthyIntervalMs: 10, timeoutMs: 10_000 }

/** A backend that answers as it is told to, and checks of it. */
async function stage(t: TestContext) {
  const stand = { status: 200, requests: 0, held: undefined as ServerResponse[] | undefined }
  const { port } = await startHttpBackend(t, (_, response) => {
    stand.requests++
    if (stand.held) stand.held.push(response)
    else response.writeHead(stand.status).end()
  })
  const changes: string[] = []
  const passed: string[] = []
  const checks = new HealthChecks({
    changed: (key) => changes.push(`${key} ${checks.isDown(key) ? 'down' : 'up'}`),
    passed: (key) => passed.push(key),
  })
  t.after(() => checks.close())
  const target = (key: string, settings = {}) => ({ key, ...placeAt(port), config: checkOf({ ...QUICK, ...settings }) })
  return { stand, changes, passed, checks, target }
}

test('a backend goes down and comes back by its checks alone', async (t) => {
  const { stand, changes, passed, checks, target } = await stage(t)
  stand.status = 503
  checks.use([target('a')])
  assert.equal(checks.isDown('a'), false)
  await waitFor(() => checks.isDown('a'), { what: 'the backend to be down' })
  assert.ok(stand.requests >= 3)
  assert.equal(checks.last('a')?.why, 'status 503')
  assert.deepEqual(passed, [])
  stand.status = 200
  await waitFor(() => !checks.isDown('a'), { what: 'the backend to be up' })
  assert.deepEqual(changes, ['a down', 'a up'])
  assert.ok(passed.length >= 2)
  await waitFor(() => checks.last('a')?.why === '', { what: 'a good check' })
})

test('checks of one backend do not overlap, and go on when one was slow', async (t) => {
  const { stand, checks, target } = await stage(t)
  stand.held = []
  checks.use([target('a', { timeoutMs: 100 })])
  let most = 0
  await waitFor(
    () => {
      most = Math.max(most, stand.held?.filter(({ destroyed }) => !destroyed).length ?? 0)
      return stand.requests >= 4
    },
    { what: 'further checks', everyMs: 1 },
  )
  assert.equal(most, 1)
  await waitFor(() => checks.isDown('a'), { what: 'the backend to be down' })
})

test('a reload keeps the history of checks that stay as they are, and no other', async (t) => {
  const { stand, changes, checks, target } = await stage(t)
  stand.status = 503
  checks.use([target('a'), target('b')])
  await waitFor(() => checks.isDown('a') && checks.isDown('b'), { what: 'both to be down' })
  checks.use([target('a'), target('b', { path: '/other' })])
  assert.deepEqual([checks.isDown('a'), checks.isDown('b')], [true, false])
  await waitFor(() => checks.isDown('b'), { what: 'the other check to say so too' })
  checks.use([])
  assert.deepEqual([checks.isDown('a'), checks.last('a')], [false, undefined])
  assert.equal(changes.length, 3)
})

test('what is checked in two ways is down when one of them says so', async (t) => {
  const { stand, checks, target } = await stage(t)
  stand.status = 404
  checks.use([target('a'), target('a', { statuses: [[404, 404]] })])
  await waitFor(() => checks.isDown('a'), { what: 'the backend to be down' })
  assert.equal(checks.last('a')?.why, 'status 404')
})

test('equal checks of one backend are one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { stand, checks, target } = await stage(t)
  checks.use([target('a', { intervalMs: 1_000 }), target('a', { intervalMs: 1_000 })])
  t.mock.timers.tick(1_000)
  t.mock.timers.reset()
  await waitFor(() => checks.last('a') !== undefined, { what: 'the first check' })
  assert.equal(stand.requests, 1)
})

test('a result that comes after its check was called off is not heard', async (t) => {
  const { stand, changes, checks, target } = await stage(t)
  stand.held = []
  checks.use([target('a', { unhealthy: 1 })])
  const [response] = await waitFor(() => stand.held?.length === 1 && stand.held, { what: 'the check' })
  checks.use([])
  assert.ok(response)
  response.writeHead(503).end()
  await once(response, 'close')
  assert.deepEqual(changes, [])
})

test('the first check comes at a random time, within two seconds of the start', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const { random, firstMs } of [
    { random: 0, firstMs: 0 },
    { random: 0.5, firstMs: 1_000 },
  ]) {
    const waits: number[] = []
    t.mock.method(globalThis, 'setTimeout', (_: () => void, ms: number) => waits.push(ms))
    const checks = new HealthChecks({ changed() {}, passed() {} }, { random: () => random, nowMs: () => 0 })
    checks.use([{ key: 'a', ...placeAt(1), config: checkOf() }])
    assert.deepEqual(waits, [firstMs])
  }
})
