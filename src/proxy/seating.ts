import type { LeaseBook } from '../limits/lease-book.ts'
import type { Backend } from '../upstream/backend.ts'
import type { PickInput } from '../upstream/balancing/balancer.ts'
import type { Room } from '../upstream/room.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** How often the first in the queue asks again for a place that another worker may have left. */
const ASK_AGAIN_MS = 20

/** A backend, and the place that the exchange has there until `leave` is called, once. */
export interface Seat {
  readonly backend: Backend
  leave(): void
}

/** Why there is none: nobody is there at all, or nobody had room in time. */
export type NoSeat = 'no_backend' | 'over_capacity'

type Outcome = Seat | NoSeat

interface Waiter {
  readonly input: PickInput
  readonly tried: readonly Backend[]
  readonly settle: (outcome: Outcome) => void
  timer: NodeJS.Timeout | undefined
  isOver: boolean
}

/** Gives exchanges places at backends that take only so many at a time, in the order in which they came. */
export class Seating {
  readonly #upstream: Upstream
  readonly #room: Room
  readonly #queue = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined
  #isServing = false

  constructor(upstream: Upstream, room: Room) {
    this.#upstream = upstream
    this.#room = room
  }

  /** Exchanges that wait. */
  get waiting(): number {
    return this.#queue.size
  }

  /** `settle` is called once, unless the returned function is called before. */
  enter(input: PickInput, tried: readonly Backend[], settle: (outcome: Outcome) => void): () => void {
    const waiter: Waiter = { input, tried, settle, timer: undefined, isOver: false }
    if (this.#queue.size > 0) this.#line(waiter)
    else {
      void this.#seek(waiter).then((outcome) => {
        if (outcome !== 'over_capacity') this.#settle(waiter, outcome)
        else if (!waiter.isOver) this.#line(waiter)
      })
    }
    return () => this.#remove(waiter)
  }

  #line(waiter: Waiter): void {
    const { size, timeoutMs } = this.#room.queue
    if (this.#queue.size >= size) {
      this.#settle(waiter, 'over_capacity')
      return
    }
    this.#queue.add(waiter)
    waiter.timer = setTimeout(() => this.#settle(waiter, 'over_capacity'), timeoutMs).unref()
    this.#timer ??= setTimeout(() => this.#askAgain(), ASK_AGAIN_MS).unref()
  }

  #askAgain(): void {
    this.#timer = undefined
    void this.#serve()
  }

  /** Seats those in front, as long as there are places. */
  async #serve(): Promise<void> {
    if (this.#isServing) return
    this.#isServing = true
    for (const waiter of this.#queue) {
      const outcome = await this.#seek(waiter)
      // Whoever waits longer comes first, and there is no room for the first.
      if (outcome === 'over_capacity') break
      this.#settle(waiter, outcome)
    }
    this.#isServing = false
    if (this.#queue.size > 0) this.#timer ??= setTimeout(() => this.#askAgain(), ASK_AGAIN_MS).unref()
  }

  async #seek({ input, tried }: Waiter): Promise<Outcome> {
    const passed = [...tried]
    for (;;) {
      const backend = this.#upstream.pick(input, passed)
      if (backend === undefined) return passed.length > tried.length ? 'over_capacity' : 'no_backend'
      const places = this.#room.placesOf(backend)
      if (places === undefined) return { backend, leave() {} }
      const isTaken = await places.take(places.lease(backend.key), performance.now())
      if (isTaken) return { backend, leave: () => this.#leave(places, backend) }
      passed.push(backend)
    }
  }

  #leave(places: LeaseBook, backend: Backend): void {
    places.release(places.lease(backend.key))
    void this.#serve()
  }

  #settle(waiter: Waiter, outcome: Outcome): void {
    // The client may have gone away while its place was found.
    if (!waiter.isOver) {
      this.#remove(waiter)
      waiter.settle(outcome)
    } else if (typeof outcome !== 'string') outcome.leave()
  }

  #remove(waiter: Waiter): void {
    waiter.isOver = true
    clearTimeout(waiter.timer)
    this.#queue.delete(waiter)
  }
}
