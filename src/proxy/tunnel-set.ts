import { MAX_TIMER_MS } from '../timer.ts'
import { createTunnel, type Tunnel, type TunnelOptions } from './tunnel.ts'

/** RFC 6455 §7.4.1: the endpoint goes away. */
const GOING_AWAY = 1001
/** One tunnel after another at this pace, so that the clients do not all come back at once. */
const PACE_MS = 10
/** Share of the deadline after which every tunnel was told: the rest is for their answers. */
const TELLING_SHARE = 0.8

export interface TunnelDrain {
  /** When what is left is cut, in milliseconds from the call. */
  readonly deadlineMs: number
  /** Over which span the tunnels are told, at most 80 % of the deadline; without it 10 ms for each. */
  readonly spreadMs?: number
}

/** The live tunnels of a worker. */
export class TunnelSet {
  readonly #tunnels = new Set<Tunnel>()
  readonly #nowMs: () => number
  #isDraining = false
  #whenEmpty: (() => void)[] = []

  /** `nowMs` is a clock that never goes back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  get size(): number {
    return this.#tunnels.size
  }

  /** Creates a tunnel and keeps it until it is closed. One that comes while the set drains is sent away at once. */
  open(options: TunnelOptions): Tunnel {
    const tunnel = createTunnel({
      ...options,
      onClose: (result) => {
        this.#tunnels.delete(tunnel)
        options.onClose(result)
        if (this.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve()
      },
    })
    this.#tunnels.add(tunnel)
    if (this.#isDraining) tunnel.close(GOING_AWAY)
    return tunnel
  }

  /**
   * Ends every tunnel with Close 1001, spread out evenly, the first at once, and cuts at the deadline what is left.
   * Resolves when none is left, with the number that this call had to cut. A further call may set an earlier end.
   */
  async drain({ deadlineMs, spreadMs = this.size * PACE_MS }: TunnelDrain): Promise<number> {
    this.#isDraining = true
    if (this.size === 0) return 0
    let cut = 0
    const stopTelling = this.#tellOverTime(Math.min(spreadMs, deadlineMs * TELLING_SHARE))
    const cutter = setTimeout(
      () => {
        cut = this.size
        for (const tunnel of this.#tunnels) tunnel.destroy('draining')
      },
      Math.min(deadlineMs, MAX_TIMER_MS),
    )
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
    stopTelling()
    clearTimeout(cutter)
    return cut
  }

  /** Tells the tunnels that are there now; the returned function ends that early. */
  #tellOverTime(spreadMs: number): () => void {
    const leaving = [...this.#tunnels]
    const startedMs = this.#nowMs()
    let told = 0
    const tellDue = () => {
      const share = spreadMs > 0 ? (this.#nowMs() - startedMs) / spreadMs : 1
      const due = Math.min(leaving.length, 1 + Math.floor(share * leaving.length))
      while (told < due) leaving[told++]?.close(GOING_AWAY)
      if (told === leaving.length) clearInterval(ticker)
    }
    const ticker = setInterval(tellDue, Math.min(Math.max(PACE_MS, spreadMs / leaving.length), MAX_TIMER_MS))
    tellDue()
    return () => clearInterval(ticker)
  }
}
