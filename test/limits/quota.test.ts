import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAccount, createQuota } from '../../src/limits/quota.ts'

const rules = fc.record({
  kind: fc.constant('rate' as const),
  requests: fc.integer({ min: 1, max: 500 }),
  perMs: fc.constantFrom(7, 1_000, 60_000, 3_600_000),
  burst: fc.integer({ min: 1, max: 300 }),
})
const arrivals = fc.array(fc.record({ pauseMs: fc.nat({ max: 5_000 }), count: fc.integer({ min: 1, max: 40 }) }), {
  maxLength: 100,
})

test('it admits what a bucket does that is filled drop by drop', () => {
  fc.assert(
    fc.property(rules, arrivals, (rule, steps) => {
      const quota = createQuota(rule)
      const account = createAccount()
      // In drops of 1/perMs of a request, so that the model counts in whole numbers.
      const full = rule.burst * rule.perMs
      let drops = full
      let nowMs = 1_000
      for (const { pauseMs, count } of steps) {
        nowMs += pauseMs
        drops = Math.min(full, drops + pauseMs * rule.requests)
        const admitted = Math.min(count, Math.floor(drops / rule.perMs))
        assert.equal(Math.min(count, quota.available(account, nowMs)), admitted)
        if (admitted > 0) quota.take(account, admitted, nowMs)
        drops -= admitted * rule.perMs
      }
    }),
  )
})

test('what is told to wait for may pass then, and not a millisecond before', () => {
  fc.assert(
    fc.property(rules, fc.nat({ max: 300 }), (rule, taken) => {
      const quota = createQuota(rule)
      const account = createAccount()
      const nowMs = 500
      quota.take(account, Math.min(taken, rule.burst), nowMs)
      const waitMs = quota.waitMs(account, nowMs)
      assert.equal(waitMs < 1e-6, quota.available(account, nowMs) > 0)
      assert.ok(quota.available(account, nowMs + waitMs) >= 1)
      if (waitMs > 1) assert.equal(quota.available(account, nowMs + waitMs - 1), 0)
      assert.equal(quota.available(account, nowMs + quota.fullMs(account, nowMs)), rule.burst)
    }),
  )
})

test('whatever is lent, used and given back, no more is about than the burst, and nothing is lost', () => {
  const steps = fc.array(
    fc.record({
      pauseMs: fc.nat({ max: 500 }),
      lend: fc.nat({ max: 20 }),
      used: fc.nat({ max: 20 }),
      back: fc.nat({ max: 20 }),
    }),
    { maxLength: 100 },
  )
  fc.assert(
    fc.property(rules, steps, (rule, list) => {
      const quota = createQuota(rule)
      const account = createAccount()
      let nowMs = 0
      let held = 0
      for (const step of list) {
        nowMs += step.pauseMs
        const lent = Math.min(step.lend, quota.available(account, nowMs))
        quota.lend(account, lent, nowMs)
        held += lent
        const used = Math.min(step.used, held)
        const back = Math.min(step.back, held - used)
        const before = quota.available(account, nowMs)
        quota.settle(account, used, back, nowMs, 0)
        held -= used + back
        assert.equal(account.held, held)
        assert.equal(quota.available(account, nowMs), before + back)
        assert.ok(quota.available(account, nowMs) + held <= rule.burst)
      }
    }),
  )
})

test('what passed without being lent is owed, and what comes back without being lent is refunded', () => {
  const quota = createQuota({ kind: 'rate', requests: 10, perMs: 1_000, burst: 5 })
  const account = createAccount()
  quota.settle(account, 7, 0, 0, 0)
  assert.equal(quota.available(account, 0), 0)
  assert.equal(quota.waitMs(account, 0), 300)
  quota.settle(account, 0, 3, 0, 0)
  assert.equal(quota.available(account, 0), 1)
})

test('places are free again only when they come back', () => {
  const quota = createQuota({ kind: 'concurrency', capacity: 3 })
  const account = createAccount()
  quota.take(account, 2, 0)
  quota.lend(account, 1, 0)
  assert.equal(quota.available(account, 1e9), 0)
  quota.settle(account, 0, 2, 1e9, 0)
  assert.equal(quota.available(account, 1e9), 2)
})
