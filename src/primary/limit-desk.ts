import type { LimitAsk } from '../ipc/limit-messages.ts'
import { LimitLedger } from '../limits/ledger.ts'
import type { Holder } from '../limits/reply-box.ts'

/** How often recalls that nobody answers are looked after, while there are any. */
const WAIT_TICK_MS = 20
/** How often keys that are full again are forgotten. */
const SWEEP_TICK_MS = 1_000

/** What the desk knows a worker by. */
export interface LimitSeat {
  receive(messages: readonly LimitAsk[]): void
  /** The process is gone. */
  leave(): void
}

/** Gives the ledger its time. */
export class LimitDesk {
  readonly #ledger = new LimitLedger()
  #wait: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined

  /** For a worker that has just been started. */
  join(holder: Holder): LimitSeat {
    return {
      receive: (messages) => {
        this.#ledger.receive(holder, messages, performance.now())
        this.#arm()
      },
      leave: () => this.#ledger.forget(holder, performance.now()),
    }
  }

  #arm(): void {
    if (this.#ledger.isWaiting) this.#wait ??= setTimeout(() => this.#tick(), WAIT_TICK_MS).unref()
    if (!this.#ledger.isEmpty) this.#sweep ??= setTimeout(() => this.#tick(), SWEEP_TICK_MS).unref()
  }

  #tick(): void {
    clearTimeout(this.#wait)
    clearTimeout(this.#sweep)
    this.#wait = undefined
    this.#sweep = undefined
    this.#ledger.tick(performance.now())
    this.#arm()
  }
}
