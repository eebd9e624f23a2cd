import type { Duplex } from 'node:stream'
import type { BodySource, ResponseHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Backend } from './backend.ts'

export type UpstreamReason =
  | 'connect_failed'
  | 'connect_timeout'
  | 'tls_failed'
  | 'backend_reset'
  | 'bad_response'
  | 'response_timeout'
  | 'idle_timeout'

export interface UpstreamFailure {
  readonly reason: UpstreamReason
  readonly cause: Error
  /** True once any byte of the request may have reached the backend: it must not be sent again unless idempotent. */
  readonly requestSent: boolean
}

/** Milliseconds; 0 means no limit. */
export interface AttemptTimeouts {
  /** Name resolution, TCP and TLS together. */
  readonly connectMs: number
  /** From the last byte of the request to the response head; while the client still sends it does not run. */
  readonly responseMs: number
  /** Longest silence of the backend while a body moves in either direction and nothing on our side holds it up. */
  readonly idleMs: number
}

export interface UpstreamRequest {
  readonly method: string
  /** Origin form or `*`, sent byte for byte; free of space, control bytes and fragments. */
  readonly path: string
  /** End-to-end fields with Host, sent in this order; without framing, hop-by-hop and Expect fields. */
  readonly headers: HeaderList
  readonly body: BodySource | undefined
  readonly timeouts: AttemptTimeouts
}

/**
 * Receives the response. Order: `inform`*, `head`, `data`*, then one of `end`, `fail`; `fail` may come at any point
 * and is the last call. Nothing is called after `Attempt.abort`.
 */
export interface ResponseSink {
  /** The request has a connection; `connectMs` is what it cost (0 for a kept one). At most once. */
  connected(connectMs: number): void
  inform(status: number, headers: HeaderList): void
  head(head: ResponseHead): void
  /** False: hold on until `Attempt.resume`. */
  data(chunk: Buffer): boolean
  /**
   * True where every chunk given so far was written out or copied, so that its memory may be read into again; without this
   * method the chunks are the sink's for good.
   */
  hasConsumed?(): boolean
  end(trailers: HeaderList): void
  fail(failure: UpstreamFailure): void
}

/** Where the backend agrees, `switched` is the last call and both sockets are the caller's; else as a plain response. */
export interface UpgradeSink extends ResponseSink {
  /** `first` are bytes of the new protocol that came with the response head. */
  switched(head: ResponseHead, socket: Duplex, first: Buffer): void
}

/** One try of an exchange against one backend. */
export interface Attempt {
  resume(): void
  /** Ends the attempt at once, whatever its state; its connection is not used again unless the response had ended. */
  abort(): void
}

/** What an engine cannot do by its nature; the contract suite proves each of them and README lists them. */
export interface EngineLimits {
  readonly requestTrailers: boolean
  readonly informational: boolean
  readonly headerCase: boolean
}

/** Kept connections to one backend. */
export interface PoolUse {
  /** With a request on them, or being dialled for one. */
  readonly busy: number
  readonly idle: number
}

/** The upstream side: everything that speaks to backends. One contract suite holds for every implementation. */
export interface UpstreamEngine {
  readonly name: string
  readonly supports: EngineLimits
  request(backend: Backend, request: UpstreamRequest, sink: ResponseSink): Attempt
  /** `request.headers` carry Connection and Upgrade; there is no body. */
  upgrade(backend: Backend, request: UpstreamRequest, sink: UpgradeSink): Attempt
  /** Closes kept connections to this backend once idle; called when a snapshot no longer names it. */
  forget(backend: Backend): void
  /** What the pool of this backend holds now; connections of upgrades are not in it. Not every engine can tell. */
  poolUse?(backend: Backend): PoolUse
  /** Closes every kept connection; attempts under way go on. */
  close(): void
}
