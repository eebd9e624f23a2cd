import type { KeyAsk, LimitNote } from '../ipc/limit-messages.ts'
import type { LimitRule } from './limit-rule.ts'
import { type Account, createAccount, createQuota, type Quota } from './quota.ts'
import type { Holder, ReplyBox } from './reply-box.ts'

interface Entry extends Account {
  readonly key: string
  /** Who has what of `held`; undefined until somebody has: most keys have few requests. */
  holders: Map<Holder, number> | undefined
  recall: Recall | undefined
  /** Nothing is recalled before: there was nothing to be had a moment ago. */
  quietUntilMs: number
}

interface PendingAsk {
  readonly holder: Holder
  readonly need: number
  readonly want: number
  given: number
}

/** Requests wait until those who hold something unused have given it back. */
interface Recall {
  readonly asks: PendingAsk[]
  readonly unanswered: Set<Holder>
  readonly untilMs: number
}

/** What one worker is lent at most of what is left: there may be many, and each may need it. */
const SHARE = 1 / 4
/** A worker that does not answer sooner is not waited for. */
const RECALL_MS = 50
const QUIET_MS = 20
const SWEPT_AT_ONCE = 20_000

/** Every key of one limit, the one that was touched longest ago first. */
export class LedgerTable {
  readonly #limit: string
  readonly #maxKeys: number
  readonly #entries = new Map<string, Entry>()
  readonly #recalling = new Set<Entry>()
  #quota: Quota

  constructor(limit: string, rule: LimitRule, maxKeys: number) {
    this.#limit = limit
    this.#maxKeys = maxKeys
    this.#quota = createQuota(rule)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Somebody waits for what others hold. */
  get isWaiting(): boolean {
    return this.#recalling.size > 0
  }

  use(rule: LimitRule): void {
    this.#quota = createQuota(rule)
  }

  note(holder: Holder, [key, used, back, answers, ageMs]: LimitNote, nowMs: number, box: ReplyBox): void {
    const entry = this.#touch(key, nowMs)
    this.#quota.settle(entry, used, back, nowMs, ageMs)
    const left = (entry.holders?.get(holder) ?? 0) - used - back
    if (left > 0) entry.holders?.set(holder, left)
    else entry.holders?.delete(holder)
    if (answers || left <= 0) this.#answerRecall(entry, holder, nowMs, box)
  }

  ask(holder: Holder, [key, need, want]: KeyAsk, nowMs: number, box: ReplyBox): void {
    const entry = this.#touch(key, nowMs)
    const ask = { holder, need, want, given: 0 }
    if (entry.recall !== undefined) entry.recall.asks.push(ask)
    else if (!this.#serve(entry, ask, nowMs, box) && !this.#recall(entry, ask, nowMs, box)) {
      this.#grant(entry, ask, 0, nowMs, box)
    }
  }

  /** The holder is gone: what it held and did not tell counts as used; its places are free. */
  forget(holder: Holder, nowMs: number, box: ReplyBox): void {
    for (const entry of this.#entries.values()) {
      const held = entry.holders?.get(holder) ?? 0
      const { keeps } = this.#quota
      if (held > 0) this.#quota.settle(entry, keeps ? 0 : held, keeps ? held : 0, nowMs, 0)
      entry.holders?.delete(holder)
      const { recall } = entry
      if (recall === undefined) continue
      const others = recall.asks.filter((ask) => ask.holder !== holder)
      recall.asks.splice(0, recall.asks.length, ...others)
      this.#answerRecall(entry, holder, nowMs, box)
    }
  }

  /** Ends recalls that are overdue, and forgets keys that are full again. */
  tick(nowMs: number, box: ReplyBox): void {
    for (const entry of this.#recalling) {
      if (entry.recall !== undefined && nowMs >= entry.recall.untilMs) this.#endRecall(entry, entry.recall, nowMs, box)
    }
    this.#sweep(nowMs)
  }

  #serve(entry: Entry, ask: PendingAsk, nowMs: number, box: ReplyBox): boolean {
    const count = Math.min(ask.need - ask.given, this.#quota.available(entry, nowMs))
    if (count > 0) {
      this.#quota.take(entry, count, nowMs)
      if (this.#quota.keeps) this.#hold(entry, ask.holder, count)
      ask.given += count
    }
    if (ask.given < ask.need) return false
    const extra = Math.min(ask.want, Math.floor(this.#quota.available(entry, nowMs) * SHARE))
    if (extra > 0) {
      this.#quota.lend(entry, extra, nowMs)
      this.#hold(entry, ask.holder, extra)
      entry.quietUntilMs = 0
    }
    this.#grant(entry, ask, extra, nowMs, box)
    return true
  }

  #grant(entry: Entry, { holder, given }: PendingAsk, extra: number, nowMs: number, box: ReplyBox): void {
    const quota = this.#quota
    const left = quota.available(entry, nowMs)
    const waitMs = toHundredths(quota.waitMs(entry, nowMs))
    const fullMs = toHundredths(quota.fullMs(entry, nowMs))
    box.grant(holder, this.#limit, [entry.key, given, extra, left, waitMs, fullMs])
  }

  #hold(entry: Entry, holder: Holder, count: number): void {
    entry.holders ??= new Map()
    entry.holders.set(holder, (entry.holders.get(holder) ?? 0) + count)
  }

  /** False where nobody else has anything. */
  #recall(entry: Entry, ask: PendingAsk, nowMs: number, box: ReplyBox): boolean {
    if (nowMs < entry.quietUntilMs) return false
    const lenders = [...(entry.holders?.keys() ?? [])].filter((holder) => holder !== ask.holder)
    if (lenders.length === 0) return false
    entry.recall = { asks: [ask], unanswered: new Set(lenders), untilMs: nowMs + RECALL_MS }
    this.#recalling.add(entry)
    for (const lender of lenders) box.recall(lender, this.#limit, entry.key)
    return true
  }

  #answerRecall(entry: Entry, holder: Holder, nowMs: number, box: ReplyBox): void {
    const { recall } = entry
    if (recall === undefined) return
    recall.unanswered.delete(holder)
    const missing = recall.asks.reduce((sum, { need, given }) => sum + need - given, 0)
    const isEnough = this.#quota.available(entry, nowMs) >= missing
    if (isEnough || recall.unanswered.size === 0) this.#endRecall(entry, recall, nowMs, box)
  }

  #endRecall(entry: Entry, { asks }: Recall, nowMs: number, box: ReplyBox): void {
    entry.recall = undefined
    this.#recalling.delete(entry)
    for (const ask of asks) {
      if (this.#serve(entry, ask, nowMs, box)) continue
      entry.quietUntilMs = nowMs + QUIET_MS
      this.#grant(entry, ask, 0, nowMs, box)
    }
  }

  #touch(key: string, nowMs: number): Entry {
    const known = this.#entries.get(key)
    if (known === undefined) this.#makeRoom(nowMs)
    else this.#entries.delete(key)
    const entry = known ?? { ...createAccount(), key, holders: undefined, recall: undefined, quietUntilMs: 0 }
    this.#entries.set(key, entry)
    return entry
  }

  #makeRoom(nowMs: number): void {
    if (this.#entries.size < this.#maxKeys) return
    this.#sweep(nowMs)
    if (this.#entries.size < this.#maxKeys) return
    for (const entry of this.#entries.values()) {
      if (entry.recall !== undefined) continue
      this.#entries.delete(entry.key)
      return
    }
  }

  /** All fill in the same time at most: whoever was touched first is full first. */
  #sweep(nowMs: number): void {
    let count = 0
    for (const entry of this.#entries.values()) {
      if (entry.held > 0 || entry.recall !== undefined || this.#quota.fullMs(entry, nowMs) > 0) return
      this.#entries.delete(entry.key)
      count += 1
      if (count === SWEPT_AT_ONCE) return
    }
  }
}

/** Short in a message, and never too early. */
function toHundredths(ms: number): number {
  return Math.ceil(ms * 100) / 100
}
