import type { UpstreamConfig } from '../config/config.ts'
import { Affinity } from './affinity.ts'
import { availableSince, findNextReturn, isAvailable, listAvailable, listOpen } from './availability.ts'
import type { Backend } from './backend.ts'
import type { BackendRegistry } from './backend-registry.ts'
import type { Balancer, PickInput } from './balancing/balancer.ts'
import { createBalancer } from './balancing/balancers.ts'
import { createMember, type Member } from './balancing/member.ts'
import { type Discovered, expandMembers } from './discovery/discovered.ts'
import { createRoom, type Room } from './room.ts'
import type { Upstream, UpstreamSources } from './upstream.ts'

/** Of its weight, what a backend gets at the beginning of a slow start. */
const FIRST_SHARE = 0.1

/** Several backends of which one is chosen for each attempt; spares are asked only where no other is available. */
export class BackendGroup implements Upstream {
  readonly name: string
  readonly isLone = false
  readonly isTimed: boolean
  readonly room: Room | undefined
  readonly #config: UpstreamConfig
  readonly #stickySecret: string
  readonly #registry: BackendRegistry
  readonly #balancer: Balancer
  readonly #nowMs: () => number
  readonly #slowStartMs: number
  /** What all below was made from. */
  #found: Discovered
  #backends: readonly Backend[] = []
  #affinity: Affinity | undefined
  /** Without those that take nothing new. */
  #members: readonly Member[] = []
  #spares: readonly Member[] = []
  /** Those to choose from, as of `#epoch`, until `#staleAtMs`. */
  #open: readonly Member[] = []
  #epoch = -1
  #staleAtMs = 0
  /** When the last slow start is over; 0: none is under way. */
  #slowUntilMs = 0

  constructor(config: UpstreamConfig, registry: BackendRegistry, sources: UpstreamSources) {
    const { name, balancing, slowStartMs } = config
    const { nowMs, stickySecret, places } = sources
    this.name = name
    this.room = createRoom(config, places)
    this.isTimed = balancing.kind === 'least_time'
    this.#config = config
    this.#stickySecret = stickySecret
    this.#registry = registry
    this.#found = registry.found
    this.#balancer = createBalancer(balancing, sources)
    this.#nowMs = nowMs
    this.#slowStartMs = slowStartMs
    this.#findMembers()
  }

  get backends(): readonly Backend[] {
    this.#refresh()
    return this.#backends
  }

  get affinity(): Affinity | undefined {
    return this.#affinity
  }

  get isServed(): boolean {
    this.#refresh()
    const nowMs = this.#nowMs()
    return this.#open.some(({ backend }) => isAvailable(backend, nowMs))
  }

  pick(input: PickInput, tried: readonly Backend[]): Backend | undefined {
    this.#refresh()
    if (tried.length > 0) return this.#pickAnother(input, tried)
    const led = this.#affinity?.find(input.head)
    if (led !== undefined && isAvailable(led, this.#nowMs())) return led
    return this.#balancer.pick(this.#open, input)?.backend
  }

  #pickAnother(input: PickInput, tried: readonly Backend[]): Backend | undefined {
    const isUntried = ({ backend }: Member) => !tried.includes(backend)
    const others = this.#open.filter(isUntried)
    const left = others.length > 0 ? others : listAvailable(this.#spares, this.#nowMs()).filter(isUntried)
    return this.#balancer.pick(left, input)?.backend
  }

  #refresh(): void {
    const { value: epoch } = this.#registry.epoch
    const isCurrent = epoch === this.#epoch && this.#staleAtMs === Number.POSITIVE_INFINITY
    if (isCurrent && this.#slowUntilMs === 0) return
    const nowMs = this.#nowMs()
    if (epoch !== this.#epoch || nowMs >= this.#staleAtMs) this.#findOpen(epoch, nowMs)
    if (this.#slowUntilMs > 0) this.#setShares(nowMs)
  }

  #findMembers(): void {
    const { name, backends, sticky } = this.#config
    const configs = expandMembers(backends, this.#found)
    this.#backends = this.#registry.acquire(configs)
    const members = this.#backends.map((backend, i) => createMember(backend, name, configs[i]?.weight ?? 0))
    const isOpen = ({ weight }: Member) => weight > 0
    this.#members = members.filter((_, i) => configs[i]?.backup === false).filter(isOpen)
    this.#spares = members.filter((_, i) => configs[i]?.backup === true).filter(isOpen)
    const secret = sticky?.secret ?? this.#stickySecret
    this.#affinity = sticky && new Affinity(this.#backends, { upstream: name, cookie: sticky.cookie, secret })
  }

  #findOpen(epoch: number, nowMs: number): void {
    if (this.#found !== this.#registry.found) {
      this.#found = this.#registry.found
      this.#findMembers()
    }
    this.#open = listOpen(this.#members, this.#spares, nowMs)
    this.#epoch = epoch
    this.#staleAtMs = Math.min(findNextReturn(this.#members, nowMs), findNextReturn(this.#spares, nowMs))
    if (this.#slowStartMs > 0) this.#slowUntilMs = nowMs
  }

  #setShares(nowMs: number): void {
    this.#slowUntilMs = 0
    for (const member of this.#open) {
      const sinceMs = availableSince(member.backend.state)
      const age = sinceMs === 0 ? 1 : (nowMs - sinceMs) / this.#slowStartMs
      member.share = member.weight * Math.min(1, Math.max(FIRST_SHARE, age))
      if (age < 1) this.#slowUntilMs = Math.max(this.#slowUntilMs, sinceMs + this.#slowStartMs)
    }
  }
}
