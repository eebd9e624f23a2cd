import type { LimitAsk } from '../ipc/limit-messages.ts'
import { LedgerTable } from './ledger-table.ts'
import { type Holder, ReplyBox } from './reply-box.ts'

/** For one limit; the oldest makes room for a new one. */
const MAX_KEYS = 100_000

/**
 * The truth of all limits, and what is lent of it to whom. Limits come with the first ask for them and go when all
 * their keys are full again, so that a reload has nothing to tell it. Time is that of one clock that never goes back.
 */
export class LimitLedger {
  readonly #maxKeys: number
  readonly #tables = new Map<string, LedgerTable>()
  readonly #box = new ReplyBox()

  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys
  }

  get isEmpty(): boolean {
    return this.#tables.size === 0
  }

  /** Somebody waits: `tick` is needed within milliseconds. */
  get isWaiting(): boolean {
    return this.#tables.values().some(({ isWaiting }) => isWaiting)
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#tables.values().reduce((sum, { size }) => sum + size, 0)
  }

  receive(holder: Holder, messages: readonly LimitAsk[], nowMs: number): void {
    const box = this.#box
    for (const { limit, rule, notes, asks } of messages) {
      let table = this.#tables.get(limit)
      if (table === undefined) {
        table = new LedgerTable(limit, rule, this.#maxKeys)
        this.#tables.set(limit, table)
      } else if (rule.kind === 'concurrency') table.use(rule)
      for (const note of notes) table.note(holder, note, nowMs, box)
      for (const ask of asks) table.ask(holder, ask, nowMs, box)
    }
    box.send()
  }

  /** The holder is gone, with or without having settled. */
  forget(holder: Holder, nowMs: number): void {
    for (const table of this.#tables.values()) table.forget(holder, nowMs, this.#box)
    this.#box.send()
  }

  tick(nowMs: number): void {
    for (const [limit, table] of this.#tables) {
      table.tick(nowMs, this.#box)
      if (table.size === 0) this.#tables.delete(limit)
    }
    this.#box.send()
  }
}
