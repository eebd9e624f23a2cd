import type { Config } from '../config/config.ts'
import type { MetricsDelta, WorkerGauges } from '../metrics/delta.ts'
import type { Discovered } from '../upstream/discovery/discovered.ts'
import type { BackendTrouble, HealthStates } from './health-messages.ts'
import type { LimitAsk, LimitReply } from './limit-messages.ts'

/** One accepted state of the world, sent whole, never as a difference. Plain data: JSON loses anything else. */
export interface ConfigSnapshot {
  /** Rises by one with every accepted reload. */
  readonly version: number
  readonly config: Config
  /** 48 random bytes in base64, the same in every worker, so that TLS sessions resume in any of them. */
  readonly ticketKeys: string
  /** For sticky cookies without a secret of their own; '' where there are none. */
  readonly stickySecret: string
}

/**
 * Primary to worker. A change of configuration takes two steps, so that no worker serves what another cannot:
 * `prepare` compiles and keeps it aside, `commit` or `discard` ends it.
 */
export type ToWorker =
  /** First message; followed by one `listen` for each address of the snapshot. */
  | { readonly type: 'begin'; readonly snapshot: ConfigSnapshot; readonly slot: number; readonly generation: number }
  /** Carries the bound socket's handle; `index` is the place in `config.server.listen`. The last one makes the worker ready. */
  | { readonly type: 'listen'; readonly index: number }
  | { readonly type: 'prepare'; readonly snapshot: ConfigSnapshot }
  | { readonly type: 'commit'; readonly version: number }
  | { readonly type: 'discard'; readonly version: number }
  /** Take nothing new, finish what is open, say `drained`, exit. Deadlines in milliseconds from receipt. */
  | ({ readonly type: 'drain' } & DrainLimits)
  | { readonly type: 'reopen_logs' }
  /** All of them; comes behind `begin`, and when one is added or taken away. */
  | { readonly type: 'pauses'; readonly pauses: readonly RoutePause[] }
  | { readonly type: 'limit_reply'; readonly limits: readonly LimitReply[] }
  /** What is known of the names of backends; comes behind `begin`, and with every change. */
  | { readonly type: 'discovered'; readonly found: Discovered }
  /** All of it; comes behind `begin`, what only matters there is empty later, and with every change. Answered by `health_taken`. */
  | {
      readonly type: 'health'
      readonly order: number
      readonly states: HealthStates
      /** At birth: what other workers went through. */
      readonly troubles: readonly BackendTrouble[]
      /** At birth: milliseconds since a backend came up that is in its slow start still, by its key. */
      readonly risen: Readonly<Record<string, number>>
    }
  /** A check was good: an open circuit need not wait any longer with its probe. */
  | { readonly type: 'hurry_probe'; readonly key: string }

export type HealthMessage = Extract<ToWorker, { readonly type: 'health' }>

/** A route whose requests are held. */
export interface RoutePause {
  readonly route: string
  /** Milliseconds until they are let go. */
  readonly leftMs: number
}

/** Patience with a worker that leaves, in milliseconds from the receipt of `drain`. */
export interface DrainLimits {
  /** For open exchanges. */
  readonly httpMs: number
  /** For kept connections on which nothing is open: each may send one more request. */
  readonly idleMs: number
  readonly websocketMs: number
}

/** Worker to primary. */
export type ToPrimary =
  /** The IPC channel stands: the primary may send `begin`. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready'; readonly version: number }
  | { readonly type: 'prepared'; readonly version: number }
  | { readonly type: 'rejected'; readonly version: number; readonly problem: string }
  | { readonly type: 'committed'; readonly version: number }
  /** Could not start: the process exits after it. */
  | { readonly type: 'failed'; readonly problem: string }
  /** Once a second; its absence tells a hung worker. */
  | { readonly type: 'beat'; readonly stats: WorkerStats }
  /** Beside each beat, and once more before the worker exits. Without `delta` nothing was counted since the last one. */
  | { readonly type: 'metrics'; readonly delta: MetricsDelta | undefined; readonly gauges: WorkerGauges }
  /** Answered by `limit_reply` where it asks for something. */
  | { readonly type: 'limit_ask'; readonly limits: readonly LimitAsk[] }
  /** Requests that begin from now on go by it. */
  | { readonly type: 'health_taken'; readonly order: number }
  /** A backend was ejected, or its circuit opened or closed. */
  | { readonly type: 'trouble'; readonly trouble: BackendTrouble }
  /** Answers `drain` at once: nothing new is accepted any more. */
  | { readonly type: 'draining' }
  /** Nothing is open any more; `cut` connections and tunnels had to be ended by force. The process exits after it. */
  | { readonly type: 'drained'; readonly cut: number }

export interface WorkerStats {
  /** Version of the snapshot being served. */
  readonly version: number
  readonly connections: number
  /** Exchanges under way. */
  readonly inFlight: number
  readonly tunnels: number
  /** Exchanges of paused routes that wait. */
  readonly held: number
  /** Exchanges since the worker started. */
  readonly requests: number
  readonly rssBytes: number
}
