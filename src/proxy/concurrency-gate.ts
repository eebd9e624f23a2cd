import type { Lease } from '../limits/lease.ts'
import type { LeaseBook } from '../limits/lease-book.ts'
import type { Arrival } from './arrival.ts'
import type { Gate, Verdict } from './gate.ts'

const ONLY_KEY = ''
const REFUSAL: Verdict = { kind: 'refuse', reason: 'over_capacity', fields: ['Retry-After', '1'] }

/** Lets a request pass while there is a place for it, which it has until its exchange is over. */
export function createConcurrencyGate(places: LeaseBook): Gate {
  function decide(passed: boolean, lease: Lease, { log }: Arrival): Verdict | undefined {
    if (!passed) return REFUSAL
    // The client may have gone away before the place was given.
    if (log.done) places.release(lease)
    else log.onFinish(() => places.release(lease))
    return undefined
  }

  return {
    enter(arrival) {
      const lease = places.lease(ONLY_KEY)
      const passed = places.take(lease, performance.now())
      if (typeof passed === 'boolean') return decide(passed, lease, arrival)
      return passed.then((later) => decide(later, lease, arrival))
    },
  }
}
