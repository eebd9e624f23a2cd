import type { LimitAsk, LimitReply } from '../../src/ipc/limit-messages.ts'
import type { LeaseBook } from '../../src/limits/lease-book.ts'
import { LimitLedger } from '../../src/limits/ledger.ts'
import { LimitClient, type LimitClock } from '../../src/limits/limit-client.ts'
import type { LimitRule } from '../../src/limits/limit-rule.ts'
import type { Holder } from '../../src/limits/reply-box.ts'

interface TimedEvent {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Time that passes only where something happens. */
export class FakeClock implements LimitClock {
  #nowMs = 1_000
  #count = 0
  readonly #events: TimedEvent[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.#nowMs + delayMs, order: this.#count++, run }
    this.#events.push(event)
    return () => {
      const at = this.#events.indexOf(event)
      if (at !== -1) this.#events.splice(at, 1)
    }
  }

  /** Runs everything that is due until then, and what comes of it. */
  async runUntil(atMs: number): Promise<void> {
    for (;;) {
      // What was promised is kept before the next event.
      for (let i = 0; i < 4; i++) await Promise.resolve()
      const [first, ...others] = this.#events
      if (first === undefined) break
      const next = others.reduce((one, other) => (isBefore(other, one) ? other : one), first)
      if (next.atMs > atMs) break
      this.#events.splice(this.#events.indexOf(next), 1)
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = atMs
  }
}

export interface FleetWorker {
  readonly client: LimitClient
  readonly book: LeaseBook
  /** It tells nothing any more, and hears nothing. */
  kill(): void
  /** It gives everything back and ends. */
  leave(): void
}

export interface Fleet {
  readonly clock: FakeClock
  readonly ledger: LimitLedger
  /** Messages of workers so far. */
  readonly messages: number
  /** While true the primary takes nothing; what was sent waits. */
  isPrimaryDeaf: boolean
  join(): FleetWorker
}

/** A primary and its workers in one process; a message takes between a tenth of a millisecond and one. */
export function createFleet(rule: LimitRule, options: { workers: number; random: () => number }): Fleet {
  const { workers, random } = options
  const clock = new FakeClock()
  const ledger = new LimitLedger()
  let messages = 0
  let isPrimaryDeaf = false
  const unheard: (() => void)[] = []
  const tick = () => {
    ledger.tick(clock.nowMs())
    clock.after(10, tick)
  }
  tick()

  /** In order, like a pipe. */
  function openPipe(deliver: (message: never) => void) {
    let freeAtMs = 0
    return (message: unknown) => {
      freeAtMs = Math.max(freeAtMs, clock.nowMs() + 0.1 + random() * 0.9)
      clock.after(freeAtMs - clock.nowMs(), () => deliver(structuredClone(message) as never))
    }
  }

  return {
    clock,
    ledger,
    get messages() {
      return messages
    },
    get isPrimaryDeaf() {
      return isPrimaryDeaf
    },
    set isPrimaryDeaf(value) {
      isPrimaryDeaf = value
      if (!value) for (const hear of unheard.splice(0)) hear()
    },
    join() {
      let isAlive = true
      const toWorker = openPipe((replies: readonly LimitReply[]) => {
        if (isAlive) client.receive(replies)
      })
      const holder: Holder = { send: toWorker }
      const toPrimary = openPipe((asks: readonly LimitAsk[] | undefined) => {
        const hear = () => {
          messages++
          if (asks === undefined) ledger.forget(holder, clock.nowMs())
          else ledger.receive(holder, asks, clock.nowMs())
        }
        if (isPrimaryDeaf) unheard.push(hear)
        else hear()
      })
      const client = new LimitClient({ clock, send: (asks) => isAlive && toPrimary(asks) })
      const book = client.open('limit', rule, workers)
      return {
        client,
        book,
        kill() {
          isAlive = false
          toPrimary(undefined)
        },
        leave() {
          client.close()
          isAlive = false
          toPrimary(undefined)
        },
      }
    },
  }
}

function isBefore(one: TimedEvent, other: TimedEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}

/** The smallest burst with which these admissions would all have kept to the rate: no window had more. */
export function neededBurst(admittedAtMs: readonly number[], perMs: number): number {
  let level = 0
  let most = 0
  let lastMs = admittedAtMs[0] ?? 0
  for (const atMs of admittedAtMs) {
    level = Math.max(0, level - (atMs - lastMs) * perMs) + 1
    most = Math.max(most, level)
    lastMs = atMs
  }
  return most
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
