import type { RoutePause } from '../ipc/protocol.ts'
import type { Arrival } from './arrival.ts'
import type { Gate, Verdict } from './gate.ts'

/** For each paused route of a worker: so many requests, and so many bytes of their heads, are held. */
const MOST_HELD = 1_000
const MOST_HELD_BYTES = 8 * 1024 * 1024

/** Holds the requests of paused routes and lets them go in the order in which they came. Bodies stay with the client. */
export class PauseDesk {
  readonly #pauses = new Map<string, Pause>()
  readonly #nowMs: () => number

  /** `nowMs`: a clock that never goes back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  get isIdle(): boolean {
    return this.#pauses.size === 0
  }

  /** Exchanges that wait. */
  get held(): number {
    let held = 0
    for (const pause of this.#pauses.values()) held += pause.held
    return held
  }

  gateFor(route: string): Gate | undefined {
    return this.#pauses.get(route)
  }

  /** These are the pauses from now on: what any other one holds is let go. */
  apply(pauses: readonly RoutePause[]): void {
    const wanted = new Map(pauses.map(({ route, leftMs }) => [route, leftMs]))
    for (const [route, pause] of this.#pauses) {
      if (wanted.has(route)) continue
      this.#pauses.delete(route)
      pause.end(undefined)
    }
    for (const [route, leftMs] of wanted) {
      const pause = this.#pauses.get(route) ?? new Pause(this.#nowMs, () => this.#pauses.delete(route))
      this.#pauses.set(route, pause)
      pause.extendTo(this.#nowMs() + leftMs)
    }
  }

  /** The worker leaves: what is still held after `afterMs` is sent away, so that it is answered at all. */
  leave(afterMs: number): void {
    for (const pause of this.#pauses.values()) pause.refuseAfter(afterMs)
  }
}

class Pause implements Gate {
  readonly #nowMs: () => number
  readonly #over: () => void
  readonly #held = new Set<(verdict: Verdict | undefined) => void>()
  #heldBytes = 0
  #untilMs = 0
  #timer: NodeJS.Timeout | undefined
  #leaveTimer: NodeJS.Timeout | undefined

  constructor(nowMs: () => number, over: () => void) {
    this.#nowMs = nowMs
    this.#over = over
  }

  get held(): number {
    return this.#held.size
  }

  enter({ head, log }: Arrival): Verdict | Promise<Verdict | undefined> {
    const bytes = head.headers.reduce((sum, text) => sum + text.length, head.target.length)
    if (this.#held.size >= MOST_HELD || this.#heldBytes + bytes > MOST_HELD_BYTES) return this.#refuse('over_capacity')
    const { promise, resolve } = Promise.withResolvers<Verdict | undefined>()
    this.#held.add(resolve)
    this.#heldBytes += bytes
    log.onFinish(() => {
      if (this.#held.delete(resolve)) this.#heldBytes -= bytes
    })
    return promise
  }

  extendTo(untilMs: number): void {
    this.#untilMs = untilMs
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#over()
      this.end(undefined)
    }, untilMs - this.#nowMs()).unref()
  }

  /** Undefined lets what is held pass. */
  end(verdict: Verdict | undefined): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#leaveTimer)
    const held = [...this.#held]
    this.#held.clear()
    this.#heldBytes = 0
    for (const decide of held) decide(verdict)
  }

  refuseAfter(afterMs: number): void {
    clearTimeout(this.#leaveTimer)
    this.#leaveTimer = setTimeout(() => this.end(this.#refuse('draining')), afterMs).unref()
  }

  #refuse(reason: 'over_capacity' | 'draining'): Verdict {
    const seconds = Math.max(1, Math.ceil((this.#untilMs - this.#nowMs()) / 1000))
    return { kind: 'refuse', reason, fields: ['Retry-After', String(reason === 'draining' ? 1 : seconds)] }
  }
}
