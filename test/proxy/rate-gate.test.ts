import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RateLimitConfig } from '../../src/config/limits-config.ts'
import { findHeader } from '../../src/header-list.ts'
import type { LimitPlan } from '../../src/limits/limit-plan.ts'
import type { Allowance, RateStore } from '../../src/limits/rate-store.ts'
import type { Gate } from '../../src/proxy/gate.ts'
import { createRateGate } from '../../src/proxy/rate-gate.ts'
import { noLimits } from '../helpers/limits.ts'
import { arrive as stage } from './arrival-stage.ts'

const LIMIT: RateLimitConfig = {
  requests: 100,
  perMs: 60_000,
  burst: 20,
  key: { kind: 'ip' },
  dryRun: false,
  store: 'memory',
}
const arrive = () => stage({ headers: ['X-Key', 'k'] }).arrival
const PASSED: Allowance = { passed: true, remaining: 7, waitMs: 0, fullMs: 7_100 }
const REFUSED: Allowance = { passed: false, remaining: 0, waitMs: 1_200, fullMs: 12_000 }

interface ScriptedStore extends RateStore {
  readonly keys: string[]
  readonly refunds: string[]
}

function scriptStore(allowance: Allowance, isSlow: boolean): ScriptedStore {
  const keys: string[] = []
  const refunds: string[] = []
  return {
    keys,
    refunds,
    take(key) {
      keys.push(key)
      return isSlow ? Promise.resolve(allowance) : allowance
    },
    refund: (key) => refunds.push(key),
  }
}

function openGate(configs: readonly RateLimitConfig[], stores: readonly RateStore[]): Gate {
  const left = [...stores]
  const plan: LimitPlan = { ...noLimits(), rateStore: () => left.shift() as RateStore }
  return createRateGate('api', configs, plan)
}

for (const isSlow of [false, true]) {
  const when = isSlow ? 'later' : 'at once'

  test(`what passes ${when} is told what is left`, async () => {
    const arrival = arrive()
    assert.equal(await openGate([LIMIT], [scriptStore(PASSED, isSlow)]).enter(arrival), undefined)
    assert.deepEqual(arrival.responseFields, ['RateLimit-Policy', '"ip";q=100;w=60', 'RateLimit', '"ip";r=7;t=8'])
  })

  test(`what is refused ${when} is told when to come again`, async () => {
    const arrival = arrive()
    const verdict = await openGate([LIMIT], [scriptStore(REFUSED, isSlow)]).enter(arrival)
    assert.ok(verdict?.kind === 'refuse')
    assert.equal(verdict.reason, 'rate_limited')
    assert.equal(findHeader(verdict.fields, 'retry-after'), '2')
    assert.equal(findHeader(verdict.fields, 'ratelimit'), '"ip";r=0;t=12')
    assert.deepEqual(arrival.responseFields, [])
  })

  test(`of several limits all must have room; those that had some ${when} get it back`, async () => {
    const stores = [PASSED, PASSED, REFUSED, PASSED].map((allowance) => scriptStore(allowance, isSlow))
    const configs: RateLimitConfig[] = [
      LIMIT,
      { ...LIMIT, perMs: 500 },
      { ...LIMIT, key: { kind: 'header', name: 'x-key' } },
      { ...LIMIT, key: { kind: 'route' } },
    ]
    const verdict = await openGate(configs, stores).enter(arrive())
    assert.ok(verdict?.kind === 'refuse')
    assert.deepEqual(
      stores.map(({ keys }) => keys),
      [['127.0.0.1'], ['127.0.0.1'], ['=k'], []],
    )
    assert.deepEqual(
      stores.map(({ refunds }) => refunds),
      [['127.0.0.1'], ['127.0.0.1'], [], []],
    )
    assert.equal(
      findHeader(verdict.fields, 'ratelimit-policy'),
      '"ip";q=100;w=60, "ip-2";q=100, "header:x-key";q=100;w=60, "route";q=100;w=60',
    )
    assert.equal(findHeader(verdict.fields, 'ratelimit'), '"ip";r=7;t=8, "ip-2";r=7;t=8, "header:x-key";r=0;t=12')
  })

  test(`a limit on trial refuses nothing ${when}, tells the client nothing, and is logged`, async () => {
    const arrival = arrive()
    const stores = [scriptStore(REFUSED, isSlow), scriptStore(PASSED, isSlow)]
    const configs: RateLimitConfig[] = [
      { ...LIMIT, dryRun: true },
      { ...LIMIT, key: { kind: 'route' } },
    ]
    assert.equal(await openGate(configs, stores).enter(arrival), undefined)
    assert.equal(arrival.log.wouldRefuse, 'rate_limited')
    assert.equal(arrival.log.reason, undefined)
    assert.equal(stores[1]?.keys.length, 1)
    assert.deepEqual(arrival.responseFields, ['RateLimit-Policy', '"route";q=100;w=60', 'RateLimit', '"route";r=7;t=8'])
  })
}

test('nothing is told of limits that are all on trial', () => {
  const arrival = arrive()
  assert.equal(openGate([{ ...LIMIT, dryRun: true }], [scriptStore(PASSED, false)]).enter(arrival), undefined)
  assert.deepEqual(arrival.responseFields, [])
  assert.equal(arrival.log.wouldRefuse, undefined)
})
