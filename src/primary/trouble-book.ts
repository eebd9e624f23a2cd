import type { BackendTrouble } from '../ipc/health-messages.ts'

/** What a worker that is gone said about an open circuit is good for so long after the circuit would have let a probe through. */
const STALE_AFTER_MS = 60_000

interface Entry {
  readonly trouble: BackendTrouble
  /** By a clock that never goes back. */
  readonly atMs: number
}

/** What the requests of all workers told of one backend, as of now. */
export interface TroubleSum extends BackendTrouble {
  /** Workers that have it ejected. */
  readonly ejectedBy: number
  /** Workers whose circuit is open. */
  readonly openIn: number
}

/**
 * What the requests of the workers told of backends. What a worker said is remembered when it is gone, until its time is
 * over: the worker that takes its place learns it.
 */
export class TroubleBook {
  readonly #nowMs: () => number
  /** By backend, then by the pid of the worker. */
  readonly #entries = new Map<string, Map<number, Entry>>()

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  note(worker: number, trouble: BackendTrouble): void {
    const entries = this.#entries.get(trouble.key) ?? new Map<number, Entry>()
    this.#entries.set(trouble.key, entries)
    entries.set(worker, { trouble, atMs: this.#nowMs() })
  }

  /** A backend that was down and is up has made up for everything. */
  forget(key: string): void {
    this.#entries.delete(key)
  }

  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#entries.delete(key)
  }

  /** Undefined where nothing is wrong. */
  sum(key: string): TroubleSum | undefined {
    const troubles = this.#live(key)
    if (troubles.length === 0) return undefined
    const most = (read: (trouble: BackendTrouble) => number) => Math.max(...troubles.map(read))
    return {
      key,
      ejectedForMs: most(({ ejectedForMs }) => ejectedForMs),
      ejections: most(({ ejections }) => ejections),
      openForMs: most(({ openForMs }) => openForMs),
      openings: most(({ openings }) => openings),
      why: troubles.findLast(({ why }) => why !== '')?.why ?? '',
      ejectedBy: troubles.filter(({ ejectedForMs }) => ejectedForMs > 0).length,
      openIn: troubles.filter(({ openings }) => openings > 0).length,
    }
  }

  list(): BackendTrouble[] {
    return [...this.#entries.keys()].flatMap((key) => this.sum(key) ?? [])
  }

  #live(key: string): BackendTrouble[] {
    const nowMs = this.#nowMs()
    const entries = this.#entries.get(key) ?? new Map<number, Entry>()
    return [...entries].flatMap(([worker, { trouble, atMs }]) => {
      const ageMs = nowMs - atMs
      const isOpen = trouble.openings > 0 && ageMs < trouble.openForMs + STALE_AFTER_MS
      const ejectedForMs = Math.max(0, trouble.ejectedForMs - ageMs)
      if (!isOpen && ejectedForMs === 0) {
        entries.delete(worker)
        return []
      }
      const openForMs = isOpen ? Math.max(0, trouble.openForMs - ageMs) : 0
      return [{ ...trouble, ejectedForMs, openForMs, openings: isOpen ? trouble.openings : 0 }]
    })
  }
}
