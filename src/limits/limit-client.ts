import type { LimitAsk, LimitReply } from '../ipc/limit-messages.ts'
import { LeaseBook } from './lease-book.ts'
import type { LimitRule } from './limit-rule.ts'

export interface LimitClientParts {
  /** To the primary; answered by `receive`. */
  send(messages: readonly LimitAsk[]): void
  readonly clock: LimitClock
}

export interface OpenLimit {
  readonly book: LeaseBook
  readonly rule: LimitRule
  /** Among how many it is shared. */
  readonly workers: number
}

export interface LimitClock {
  /** Never goes back. */
  nowMs(): number
  /** Calls back once, as soon as what is under way is done where `delayMs` is 0. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void
}

/** Between two messages: what comes meanwhile is told in one. */
const PACE_MS = 2
/** Nobody waits longer for the primary. */
const SILENCE_MS = 250
const SWEEP_MS = 100

export const SYSTEM_CLOCK: LimitClock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    if (delayMs > 0) {
      const timer = setTimeout(callback, delayMs).unref()
      return () => clearTimeout(timer)
    }
    const immediate = setImmediate(callback).unref()
    return () => clearImmediate(immediate)
  },
}

/**
 * A worker's side of the limits that all workers share: asks the primary for leases and decides by them. Outlives
 * reloads, and the limits with it.
 */
export class LimitClient {
  readonly #parts: LimitClientParts
  readonly #books = new Map<string, LeaseBook>()
  readonly #changed = new Set<LeaseBook>()
  #kept: ReadonlySet<LeaseBook> | undefined
  #isAlone = false
  #lastSentMs = -Infinity
  #flush: (() => void) | undefined
  #silence: (() => void) | undefined
  #sweep: (() => void) | undefined

  constructor(parts: LimitClientParts) {
    this.#parts = parts
  }

  /** The same book for the same limit, whoever opens it; how it is used is for `retain` to say where it is not new. */
  open(limit: string, rule: LimitRule, workers: number): LeaseBook {
    const known = this.#books.get(limit)
    if (known !== undefined) return known
    const client = this
    const book = new LeaseBook(limit, rule, workers, {
      changed: (which, urgent) => this.#note(which, urgent),
      get isAlone() {
        return client.#isAlone
      },
    })
    this.#books.set(limit, book)
    return book
  }

  /** What is in force from now on; other books are forgotten when nothing of them is open. */
  retain(limits: readonly OpenLimit[]): void {
    this.#kept = new Set(limits.map(({ book }) => book))
    for (const { book, rule, workers } of limits) book.use(rule, workers)
    this.#forgetBooks()
  }

  receive(replies: readonly LimitReply[]): void {
    const nowMs = this.#parts.clock.nowMs()
    this.#isAlone = false
    this.#silence?.()
    this.#silence = undefined
    for (const { limit, grants, recalls } of replies) {
      const book = this.#books.get(limit)
      if (book === undefined) continue
      for (const grant of grants) book.grant(grant, nowMs)
      for (const key of recalls) book.recall(key)
    }
    if (this.#books.values().some(({ asking }) => asking > 0)) this.#expectAnswer()
    for (const book of this.#changed) this.#note(book, false)
  }

  /** Gives everything back, for a worker that leaves. */
  close(): void {
    for (const book of this.#books.values()) book.returnAll()
    this.#send()
    this.#sweep?.()
    this.#silence?.()
  }

  #note(book: LeaseBook, urgent: boolean): void {
    const { clock } = this.#parts
    this.#changed.add(book)
    this.#sweep ??= clock.after(SWEEP_MS, () => this.#sweepBooks())
    if (urgent) {
      this.#flush?.()
      this.#flush = clock.after(0, () => this.#send())
    } else this.#flush ??= clock.after(Math.max(0, this.#lastSentMs + PACE_MS - clock.nowMs()), () => this.#send())
  }

  #send(): void {
    this.#flush?.()
    this.#flush = undefined
    const messages: LimitAsk[] = []
    // What it would be told now it would take for something new when it hears again.
    if (this.#isAlone) return
    for (const book of this.#changed) {
      const message = book.takeMessage(this.#parts.clock.nowMs())
      if (message !== undefined) messages.push(message)
    }
    this.#changed.clear()
    if (messages.length === 0) return
    this.#lastSentMs = this.#parts.clock.nowMs()
    if (messages.some(({ asks }) => asks.length > 0)) this.#expectAnswer()
    this.#parts.send(messages)
  }

  #expectAnswer(): void {
    this.#silence ??= this.#parts.clock.after(SILENCE_MS, () => {
      this.#silence = undefined
      this.#isAlone = true
      for (const book of this.#books.values()) book.decideWaiting(this.#parts.clock.nowMs())
    })
  }

  #sweepBooks(): void {
    const { clock } = this.#parts
    const nowMs = clock.nowMs()
    this.#sweep = undefined
    let isOpen = false
    for (const book of this.#books.values()) {
      book.sweep(nowMs)
      isOpen ||= book.size > 0
    }
    this.#forgetBooks()
    if (isOpen) this.#sweep ??= clock.after(SWEEP_MS, () => this.#sweepBooks())
  }

  #forgetBooks(): void {
    const kept = this.#kept
    if (kept === undefined) return
    for (const [limit, book] of this.#books) {
      if (book.size === 0 && !kept.has(book)) this.#books.delete(limit)
    }
  }
}
