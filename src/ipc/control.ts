import type { TrafficReport } from '../metrics/traffic.ts'
import type { Problem } from '../problem.ts'
import type { WorkerStats } from './protocol.ts'

/** One JSON line to the control socket; answered by one JSON line, then the primary closes the connection. */
export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'routes' }
  | { readonly command: 'reload' }
  | { readonly command: 'restart' }
  /** Answered as soon as the stop has begun; the process ends when it is over. */
  | { readonly command: 'stop'; readonly force: boolean }
  | { readonly command: 'reopen_logs' }
  | { readonly command: 'pause'; readonly route: string; readonly maxMs: number }
  | { readonly command: 'resume'; readonly route: string }
  | BackendRequest

/** `name`: `host:port`, or `upstream/host:port`. Answered with what is known of all backends, or of that one. */
export type BackendRequest =
  | { readonly command: 'backends' }
  /** Answered when no worker sends it anything new any more. */
  | { readonly command: 'drain'; readonly name: string }
  | { readonly command: 'enable'; readonly name: string }

export type ControlResponse<T = unknown> =
  | { readonly ok: true; readonly result: T }
  | { readonly ok: false; readonly error: string }

export interface ListenReport {
  readonly host: string
  /** The bound port, also where the configuration says 0. */
  readonly port: number
  readonly tls: boolean
  readonly url: string
}

export interface WorkerReport {
  /** The slot: stays the same when the process in it is replaced. */
  readonly id: number
  readonly pid: number
  readonly generation: number
  readonly state: 'starting' | 'ready' | 'draining'
  readonly startedAt: string
  /** How often the process in this slot died without being asked to. */
  readonly crashes: number
  readonly stats: WorkerStats | undefined
}

export interface StatusReport {
  readonly pid: number
  readonly programVersion: string
  readonly nodeVersion: string
  readonly configFile: string
  readonly logFile: string | undefined
  readonly startedAt: string
  readonly uptimeMs: number
  readonly state: 'starting' | 'running' | 'reloading' | 'rolling' | 'stopping'
  readonly version: number
  readonly generation: number
  readonly engine: string
  readonly listen: readonly ListenReport[]
  /** Where metrics, health and status are told. */
  readonly admin: string | undefined
  readonly workers: readonly WorkerReport[]
  /** Those that routes share first. */
  readonly upstreams: readonly UpstreamReport[]
  readonly backends: readonly BackendReport[]
  /** Workers keep dying and restarts are being held back. */
  readonly crashLoop: boolean
  readonly traffic: TrafficReport
  readonly paused: readonly PauseReport[]
  readonly lastReload: ReloadReport | undefined
}

export interface PauseReport {
  readonly route: string
  /** When its requests are let go, unless `resume` comes before. */
  readonly until: string
}

export interface UpstreamReport {
  /** That of the route where it is the route's own. */
  readonly name: string
  /** It stands in `server.upstreams`. */
  readonly shared: boolean
  /** As it stands in the file: `header_hash:x-user`. */
  readonly loadBalancing: string
  /** `http://host:port x3 backup`. */
  readonly backends: readonly string[]
}

/** `down`: by its checks. `ejected`, `circuit_open`: by what became of requests, in one worker at least. */
export const BACKEND_CONDITIONS = ['up', 'down', 'drained', 'ejected', 'circuit_open'] as const

export type BackendCondition = (typeof BACKEND_CONDITIONS)[number]

export interface BackendReport {
  /** `host:port`. */
  readonly name: string
  /** Those that have it. */
  readonly upstreams: readonly string[]
  readonly state: BackendCondition
  readonly since: string
  /** Why it is down, ejected or has an open circuit; ''. */
  readonly why: string
  /** Somebody asks whether it is well. */
  readonly checked: boolean
  /** `why`: '' where it was good. */
  readonly lastCheck: { readonly at: string; readonly tookMs: number; readonly why: string } | undefined
  /** Workers that have it ejected. */
  readonly ejectedBy: number
  /** Workers whose circuit is open. */
  readonly openIn: number
}

export interface RouteReport {
  readonly name: string
  readonly path: string
  readonly domains: readonly string[]
  readonly methods: readonly string[]
  /** `http://host:port x3, http://host:port backup`, `upstream api`, `respond 200`, `redirect 302 /x`. */
  readonly target: string
}

export type ReloadKind = 'none' | 'swap' | 'scale' | 'roll'

export interface ReloadReport {
  readonly ok: boolean
  readonly trigger: 'command' | 'signal' | 'watch' | 'restart'
  readonly at: string
  readonly tookMs: number
  /** The strongest measure that the change needed. */
  readonly kind: ReloadKind
  /** Snapshot version being served after it. */
  readonly version: number
  readonly routes: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  }
  /** Keys that changed outside the routes, dotted. */
  readonly changedKeys: readonly string[]
  readonly workers: readonly WorkerResult[]
  /** Why the old state was kept; empty where `ok`. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** A failure that has no place in a file: a busy port, a worker that would not start. */
  readonly error: string | undefined
}

export interface WorkerResult {
  readonly id: number
  readonly pid: number
  readonly ok: boolean
  readonly tookMs: number
  readonly problem: string | undefined
}
