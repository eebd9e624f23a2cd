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

/** Takes an exchange through gates, one after another, to `pass`; whatever stops it is answered. */
export function passGates(gates: readonly Gate[], arrival: Arrival, pass: () => void): void {
  for (const [i, gate] of gates.entries()) {
    const verdict = gate.enter(arrival)
    if (verdict === undefined) continue
    if (verdict instanceof Promise) void waitAt(verdict, gates.slice(i + 1), arrival, pass)
    else carryOut(verdict, arrival)
    return
  }
  pass()
}

async function waitAt(
  decision: Promise<Verdict | undefined>,
  rest: readonly Gate[],
  arrival: Arrival,
  pass: () => void,
): Promise<void> {
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
  if (log.done) return
  if (verdict === undefined) passGates(rest, arrival, pass)
  else carryOut(verdict, arrival)
}

function carryOut(verdict: Verdict, arrival: Arrival): void {
  if (verdict.kind === 'refuse') answerFailure(arrival, verdict.reason, verdict.fields)
  else respond(arrival, verdict.status, verdict.headers, verdict.body)
}
