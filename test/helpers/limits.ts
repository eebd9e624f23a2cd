import type { LimitPlan } from '../../src/limits/limit-plan.ts'

/** For routes that have none. */
export function noLimits(): LimitPlan {
  const refuse = () => {
    throw new Error('a route has a limit')
  }
  return { opened: [], rateStore: refuse, connections: refuse, places: refuse }
}
