import type { UpstreamConfig } from '../config/config.ts'
import type { RequestHead } from '../exchange.ts'
import type { Backend } from './backend.ts'
import type { BackendRegistry } from './backend-registry.ts'

/** What a choice among backends may depend on. */
export interface PickInput {
  readonly head: RequestHead
  /** Of the client that is believed, behind trusted proxies; '' where it is gone already. */
  readonly clientAddress: string
}

/** A group of backends as one snapshot has it; what the backends went through is theirs and outlives it. */
export interface Upstream {
  readonly name: string
  readonly backends: readonly Backend[]
  /** The backend for the next attempt, none of `tried` where another is there; undefined: none is available. */
  pick(input: PickInput, tried: readonly Backend[]): Backend | undefined
}

export function compileUpstream({ name, backends: members }: UpstreamConfig, registry: BackendRegistry): Upstream {
  const backends = registry.acquire(members)
  return {
    name,
    backends,
    pick: (_input, tried) => backends.find((backend) => !tried.includes(backend)),
  }
}
