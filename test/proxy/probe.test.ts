import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USUAL_PASSIVE_HEALTH } from '../../src/config/health-config.ts'
import type { Backend } from '../../src/upstream/backend.ts'
import { type StageOptions, stage } from './forward-stage.ts'

const OK = { status: 200, statusText: 'OK', headers: [] }
const REFUSED = { reason: 'connect_failed', cause: new Error('refused'), requestSent: false } as const

/** The circuits of these backends were opened, and their time is over. */
function watched(open: readonly number[], options: StageOptions = {}) {
  return stage({
    upstream: { passiveHealth: USUAL_PASSIVE_HEALTH },
    before(backends) {
      for (const [i, { state }] of backends.entries()) {
        if (!open.includes(i)) continue
        state.openUntilMs = 1
        state.trouble = { failedAtMs: [], ejections: 0, inARow: 5, openings: 1 }
      }
    },
    ...options,
  })
}

function isShut({ state }: Backend): boolean {
  return state.openUntilMs > performance.now()
}

test('the exchange that an open circuit lets through keeps it shut for others until it is answered', () => {
  const { backend, attempts } = watched([0])
  assert.equal(attempts.length, 1)
  assert.equal(isShut(backend), true)
  attempts[0]?.sink.head(OK)
  assert.equal(backend.state.openUntilMs, 0)
})

test('its failure opens the circuit for longer', () => {
  const { backend, attempts } = watched([0])
  attempts[0]?.sink.fail(REFUSED)
  assert.equal(isShut(backend), true)
  assert.equal(backend.state.trouble?.openings, 2)
})

for (const { name, leave } of [
  { name: 'a client that leaves', leave: ({ forward }: ReturnType<typeof watched>) => forward.gone('client_gone') },
  { name: 'a body that fails', leave: ({ forward }: ReturnType<typeof watched>) => forward.bodyFailed('idle_timeout') },
]) {
  test(`${name} says nothing about the backend, and another exchange is let through`, () => {
    const scene = watched([0])
    leave(scene)
    const { state } = scene.backend
    assert.ok(isShut(scene.backend) && state.openUntilMs <= performance.now() + 1_000)
    assert.equal(state.trouble?.openings, 1)
  })
}

test('a further attempt may be the one that is let through, also while it waits', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const retries = {
    attempts: 2,
    on: { connect: true, reset: true, timeout: false, statuses: [] },
    methods: ['GET'],
    budget: 1,
    backoffMs: 1_000_000,
  }
  const { forward, backends, attempts } = watched([1], { backends: 2, retries })
  const [first, second] = backends
  assert.ok(first && second)
  const [asked] = attempts
  assert.ok(asked)
  asked.sink.fail(REFUSED)
  assert.ok(backends.some(isShut))
  forward.gone('client_gone')
  assert.ok(backends.every(({ state }) => state.openUntilMs <= performance.now() + 1_000))
})

test('a route that nobody watches opens nothing', () => {
  const { backend, attempts } = watched([], { upstream: {} })
  attempts[0]?.sink.fail(REFUSED)
  assert.equal(backend.state.trouble, undefined)
})
