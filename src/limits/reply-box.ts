import type { KeyGrant, LimitReply } from '../ipc/limit-messages.ts'

/** A worker process, as the ledger knows it. */
export interface Holder {
  send(replies: readonly LimitReply[]): void
}

interface Draft {
  readonly grants: KeyGrant[]
  readonly recalls: string[]
}

/** Gathers what is to be said, so that each holder gets one message. */
export class ReplyBox {
  readonly #drafts = new Map<Holder, Map<string, Draft>>()

  grant(holder: Holder, limit: string, grant: KeyGrant): void {
    this.#draftFor(holder, limit).grants.push(grant)
  }

  recall(holder: Holder, limit: string, key: string): void {
    this.#draftFor(holder, limit).recalls.push(key)
  }

  send(): void {
    for (const [holder, drafts] of this.#drafts) {
      holder.send([...drafts].map(([limit, { grants, recalls }]) => ({ limit, grants, recalls })))
    }
    this.#drafts.clear()
  }

  #draftFor(holder: Holder, limit: string): Draft {
    let drafts = this.#drafts.get(holder)
    if (drafts === undefined) {
      drafts = new Map()
      this.#drafts.set(holder, drafts)
    }
    let draft = drafts.get(limit)
    if (draft === undefined) {
      draft = { grants: [], recalls: [] }
      drafts.set(limit, draft)
    }
    return draft
  }
}
