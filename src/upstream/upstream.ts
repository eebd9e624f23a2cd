import type { UpstreamConfig } from '../config/config.ts'
import type { RequestHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { LeaseBook } from '../limits/lease-book.ts'
import { isAvailable } from './availability.ts'
import type { Backend } from './backend.ts'
import { BackendGroup } from './backend-group.ts'
import type { BackendRegistry } from './backend-registry.ts'
import type { BalancerSources, PickInput } from './balancing/balancer.ts'
import { createRoom, type Room } from './room.ts'

/** By which a client is known again. */
export interface ResponseMarks {
  /** What the response of that backend has to carry, for what the request did not bring. */
  fieldsFor(backend: Backend, head: RequestHead, isSecure: boolean): HeaderList
}

/** A group of backends as one snapshot has it; what the backends went through is theirs and outlives it. */
export interface Upstream {
  readonly name: string
  readonly backends: readonly Backend[]
  /** There is one backend, and there will never be another to try. */
  readonly isLone: boolean
  /** The choice depends on how fast backends answer: each attempt is to be told to `noteFirstByte` or `noteNoAnswer`. */
  readonly isTimed: boolean
  /** Undefined where nobody is led back to anything. */
  readonly affinity: ResponseMarks | undefined
  /** Undefined where every backend takes any number. */
  readonly room: Room | undefined
  /** One is there that nothing is known against: `pick` may find another in a panic. */
  readonly isServed: boolean
  /** The backend for the next attempt, which is none of `tried`; undefined: no other is available. */
  pick(input: PickInput, tried: readonly Backend[]): Backend | undefined
}

export interface UpstreamSources extends BalancerSources {
  /** For sticky cookies without a secret of their own. */
  readonly stickySecret: string
  /** Where the backends take only so many. */
  readonly places: LeaseBook | undefined
}

export const CHANCE_AND_CLOCK: BalancerSources = { random: () => Math.random(), nowMs: () => performance.now() }

export function compileUpstream(
  config: UpstreamConfig,
  registry: BackendRegistry,
  {
    random = CHANCE_AND_CLOCK.random,
    nowMs = CHANCE_AND_CLOCK.nowMs,
    stickySecret = '',
    places,
  }: Partial<UpstreamSources> = {},
): Upstream {
  const { backends: members, sticky } = config
  if (members.length === 1 && members[0]?.discovery === undefined && sticky === undefined) {
    const [backend] = registry.acquire(members)
    if (backend !== undefined) return createSingle(config, backend, nowMs, places)
  }
  return new BackendGroup(config, registry, { random, nowMs, stickySecret, places })
}

/** Nothing to choose: what is known of its health would leave nobody, and is ignored. An open circuit is not. */
function createSingle(
  config: UpstreamConfig,
  backend: Backend,
  nowMs: () => number,
  places: LeaseBook | undefined,
): Upstream {
  // It may be a backend of another upstream too, that watches it.
  const isWatched = config.passiveHealth !== undefined
  const { state } = backend
  return {
    name: config.name,
    backends: [backend],
    isLone: true,
    isTimed: false,
    room: createRoom(config, places),
    affinity: undefined,
    get isServed() {
      return isAvailable(backend, nowMs())
    },
    pick(_input, tried) {
      if (tried.length > 0) return undefined
      if (state.health === 'drained') return undefined
      return isWatched && state.openUntilMs > 0 && state.openUntilMs > nowMs() ? undefined : backend
    },
  }
}
