import type { HeaderList } from '../header-list.ts'
import { REASONS, type Reason } from '../reason.ts'
import { answerFailure, respond } from './answer.ts'
import type { Arrival } from './arrival.ts'

/** How a gate ends an exchange by itself. */
export type Verdict =
  | {
      readonly kind: 'refuse'
      readonly reason: Reason
      /** For this answer alone: Retry-After, WWW-Authenticate. */
      readonly fields: HeaderList
    }
  | { readonly kind: 'respond'; readonly status: number; readonly headers: HeaderList; readonly body: Buffer }

/**
 * A step before a route's action: it lets an exchange pass, or ends it. What it began for an exchange and must take
 * back is given to `arrival.log.onFinish`, which is also called where the client goes away while the gate decides.
 */
export interface Gate {
  /** Undefined lets it pass. Must not throw or reject: the worker would end. */
  enter(arrival: Arrival): Verdict | undefined | Promise<Verdict | undefined>
}

/**
 * Takes an exchange through gates, one after another, from the one at index `from` on; whatever stops it is answered. True
 * where it passed all of them.
 */
export function passGates(gates: readonly Gate[], arrival: Arrival, from = 0): boolean | Promise<boolean> {
  for (let i = from; i < gates.length; i++) {
    const verdict = gates[i]?.enter(arrival)
    if (verdict === undefined) continue
    if (verdict instanceof Promise) return waitAt(verdict, gates, arrival, i + 1)
    carryOut(verdict, arrival)
    return false
  }
  return true
}

async function waitAt(
  decision: Promise<Verdict | undefined>,
  gates: readonly Gate[],
  arrival: Arrival,
  next: number,
): Promise<boolean> {
  const { log, responder } = arrival
  responder.watch({
    drained() {},
    finished() {},
    gone(reason) {
      log.fail(reason)
      log.status = REASONS.client_gone.status
      log.finish(false)
    },
  })
  const verdict = await decision
  if (log.done) return false
  if (verdict === undefined) return passGates(gates, arrival, next)
  carryOut(verdict, arrival)
  return false
}

function carryOut(verdict: Verdict, arrival: Arrival): void {
  if (verdict.kind === 'refuse') answerFailure(arrival, verdict.reason, verdict.fields)
  else respond(arrival, verdict.status, verdict.headers, verdict.body)
}
