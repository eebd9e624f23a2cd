import type { RateLimitConfig } from '../config/limits-config.ts'
import { compileLimitKey, type LimitKey } from '../limits/limit-key.ts'
import type { LimitPlan } from '../limits/limit-plan.ts'
import type { Allowance, RateStore } from '../limits/rate-store.ts'
import type { Arrival } from './arrival.ts'
import type { Gate, Verdict } from './gate.ts'
import { formatAllowance, formatPolicy, namePolicies } from './rate-limit-fields.ts'

interface CompiledLimit {
  readonly name: string
  readonly keyOf: LimitKey
  readonly store: RateStore
  readonly dryRun: boolean
}

/** Lets a request pass where every limit of its route has room; refuses it with 429 otherwise. */
export function createRateGate(route: string, configs: readonly RateLimitConfig[], plan: LimitPlan): Gate {
  const names = namePolicies(configs)
  const limits = configs.map(
    (config, i): CompiledLimit => ({
      name: names[i] ?? '',
      keyOf: compileLimitKey(config.key),
      store: plan.rateStore(route, config),
      dryRun: config.dryRun,
    }),
  )
  // A limit on trial is nobody's business yet.
  const policies = configs.flatMap((config, i) => (config.dryRun ? [] : [formatPolicy(names[i] ?? '', config)]))
  return new RateGate(limits, policies.join(', '))
}

class RateGate implements Gate {
  readonly #limits: readonly CompiledLimit[]
  readonly #policy: string

  constructor(limits: readonly CompiledLimit[], policy: string) {
    this.#limits = limits
    this.#policy = policy
  }

  enter(arrival: Arrival): Verdict | undefined | Promise<Verdict | undefined> {
    const taken: Allowance[] = []
    for (const limit of this.#limits) {
      const allowance = this.#take(limit, arrival)
      if (allowance instanceof Promise) return this.#enterLater(allowance, taken, arrival)
      taken.push(allowance)
      if (!allowance.passed && !limit.dryRun) break
    }
    return this.#judge(taken, arrival)
  }

  async #enterLater(first: Promise<Allowance>, taken: Allowance[], arrival: Arrival): Promise<Verdict | undefined> {
    taken.push(await first)
    for (;;) {
      const limit = this.#limits[taken.length - 1]
      const next = this.#limits[taken.length]
      if (next === undefined || !(taken.at(-1)?.passed || limit?.dryRun)) return this.#judge(taken, arrival)
      taken.push(await this.#take(next, arrival))
    }
  }

  #take({ keyOf, store }: CompiledLimit, { head, identity }: Arrival): Allowance | Promise<Allowance> {
    return store.take(keyOf(head, identity.address), performance.now())
  }

  /** The last allowance is that of the limit that refuses, if any does. */
  #judge(taken: readonly Allowance[], arrival: Arrival): Verdict | undefined {
    let state = ''
    for (const [i, allowance] of taken.entries()) {
      const limit = this.#limits[i]
      if (limit === undefined) continue
      if (!limit.dryRun) state += `${state === '' ? '' : ', '}${formatAllowance(limit.name, allowance)}`
      if (allowance.passed) continue
      if (limit.dryRun) arrival.log.wouldRefuse = 'rate_limited'
      else return this.#refuse(taken, i, allowance, state, arrival)
    }
    if (state !== '') {
      arrival.responseFields = [...arrival.responseFields, 'RateLimit-Policy', this.#policy, 'RateLimit', state]
    }
    return undefined
  }

  #refuse(taken: readonly Allowance[], at: number, { waitMs }: Allowance, state: string, arrival: Arrival): Verdict {
    const { head, identity } = arrival
    for (const [i, { keyOf, store }] of this.#limits.slice(0, at).entries()) {
      if (taken[i]?.passed) store.refund(keyOf(head, identity.address))
    }
    const seconds = String(Math.max(1, Math.ceil(waitMs / 1_000)))
    const fields = ['Retry-After', seconds, 'RateLimit-Policy', this.#policy, 'RateLimit', state]
    return { kind: 'refuse', reason: 'rate_limited', fields }
  }
}
