import type { SplitConfig, SplitRule } from '../config/split-config.ts'
import type { RequestHead } from '../exchange.ts'
import { findHeader, type HeaderList } from '../header-list.ts'
import type { Backend } from './backend.ts'
import type { BalancerSources, PickInput } from './balancing/balancer.ts'
import { hashText } from './balancing/hash.ts'
import { drawByShare, sumShares } from './balancing/random.ts'
import { pickByHash } from './balancing/rendezvous.ts'
import type { Room } from './room.ts'
import { SignedCookie } from './signed-cookie.ts'
import type { ResponseMarks, Upstream } from './upstream.ts'

interface Part {
  readonly upstream: Upstream
  readonly share: number
  readonly seed: number
}

export interface SplitSources extends Pick<BalancerSources, 'random'> {
  /** For a cookie without a secret of its own. */
  readonly stickySecret: string
  /** By name. */
  readonly find: (upstream: string) => Upstream
}

/** Groups of backends that share the requests of a route by weight. A group that has nobody leaves its own to the others. */
export class Split implements Upstream, ResponseMarks {
  readonly name: string
  readonly isLone = false
  readonly isTimed: boolean
  readonly affinity: ResponseMarks | undefined
  readonly room: Room | undefined
  /** Without those that get nothing new. */
  readonly #parts: readonly Part[]
  /** All of them. */
  readonly #upstreams: readonly Upstream[]
  readonly #cookie: SignedCookie<Upstream> | undefined
  readonly #header: string | undefined
  readonly #random: () => number

  /** `name`: that of the route. */
  constructor(name: string, { parts, by }: SplitConfig, { random, stickySecret, find }: SplitSources) {
    const all = parts.map(({ upstream, weight }) => ({
      upstream: find(upstream),
      share: weight,
      seed: hashText(upstream, 0),
    }))
    this.name = name
    this.#parts = all.filter(({ share }) => share > 0)
    this.#upstreams = all.map(({ upstream }) => upstream)
    this.#cookie = createCookie(name, by, this.#upstreams, stickySecret)
    this.#header = by.kind === 'header' ? by.header : undefined
    this.#random = random
    this.isTimed = this.#upstreams.some(({ isTimed }) => isTimed)
    const limited = this.#upstreams.find(({ room }) => room !== undefined)?.room
    this.room = limited && {
      queue: limited.queue,
      placesOf: (backend) => this.#upstreamOf(backend)?.room?.placesOf(backend),
    }
    const isMarked = this.#cookie !== undefined || this.#upstreams.some(({ affinity }) => affinity !== undefined)
    this.affinity = isMarked ? this : undefined
  }

  get isServed(): boolean {
    return this.#upstreams.some(({ isServed }) => isServed)
  }

  get backends(): readonly Backend[] {
    return this.#upstreams.flatMap(({ backends }) => backends)
  }

  pick(input: PickInput, tried: readonly Backend[]): Backend | undefined {
    const [before] = tried
    const chosen = (before && this.#upstreamOf(before)) ?? this.#choose(input)
    const backend = chosen?.pick(input, tried)
    if (backend !== undefined && chosen?.isServed) return backend
    for (const { upstream } of this.#parts) {
      const other = upstream === chosen || !upstream.isServed ? undefined : upstream.pick(input, tried)
      if (other !== undefined) return other
    }
    return backend
  }

  fieldsFor(backend: Backend, head: RequestHead, isSecure: boolean): HeaderList {
    const upstream = this.#upstreamOf(backend)
    if (upstream === undefined) return []
    const own = this.#cookie?.fieldsFor(upstream.name, head, isSecure) ?? []
    return [...own, ...(upstream.affinity?.fieldsFor(backend, head, isSecure) ?? [])]
  }

  #choose({ head }: PickInput): Upstream | undefined {
    const led = this.#cookie?.find(head)
    if (led !== undefined) return led
    const value = this.#header === undefined ? undefined : findHeader(head.headers, this.#header)
    const part =
      value === undefined
        ? drawByShare(this.#parts, this.#random() * sumShares(this.#parts), undefined)
        : pickByHash(this.#parts, hashText(value, 0))
    return part?.upstream
  }

  #upstreamOf(backend: Backend): Upstream | undefined {
    return this.#upstreams.find(({ backends }) => backends.includes(backend))
  }
}

function createCookie(name: string, by: SplitRule, upstreams: readonly Upstream[], stickySecret: string) {
  if (by.kind !== 'cookie') return undefined
  const choices = new Map(upstreams.map((upstream) => [upstream.name, upstream]))
  return new SignedCookie(choices, { scope: `split\0${name}`, cookie: by.cookie, secret: by.secret ?? stickySecret })
}
