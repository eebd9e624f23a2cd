import type { Duplex } from 'node:stream'
import type { HeaderList } from './header-list.ts'
import type { Reason } from './reason.ts'

export interface RequestHead {
  /** A token, case kept (RFC 9110 §9.1). */
  readonly method: string
  /** The request target as it came: origin form, absolute form or `*` (RFC 9112 §3.2). */
  readonly target: string
  /** The one Host value, or the absolute target's authority; '' where an HTTP/1.0 client sent none. */
  readonly authority: string
  readonly headers: HeaderList
  readonly httpVersion: '1.0' | '1.1' | '2'
}

export interface ResponseHead {
  /** 200–599; 101 only where an upgrade was accepted. */
  readonly status: number
  readonly statusText: string
  readonly headers: HeaderList
}

/** The connection's far end, as the socket tells it: never taken from a header. */
export interface ClientAddress {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localPort: number
  readonly encrypted: boolean
}

/** Receives a body. After `end` or `fail` nothing more is called. */
export interface BodySink {
  /** The chunk belongs to the sink. A sink that is full calls `pause` on the source. */
  data(chunk: Buffer): void
  /** As `Responder.hasConsumed`; it may be asked after the end, too. */
  hasConsumed?(): boolean
  end(trailers: HeaderList): void
  fail(reason: Reason, cause?: Error): void
}

/** A message body that flows only while it is asked to: nothing is buffered whole. */
export interface BodySource {
  /** Bytes the sender announced; undefined where only the end tells (chunked). Never 0: no body is no source. */
  readonly lengthBytes: number | undefined
  /** Starts the flow; called at most once. A client that waits for 100 Continue is sent it now. */
  start(sink: BodySink): void
  pause(): void
  resume(): void
}

/** What becomes of the client's side while an exchange is answered. */
export interface ResponderWatcher {
  /** `write` may be called again. */
  drained(): void
  /** The response left completely. Last call. */
  finished(): void
  /** The connection ended, or stalled past a limit, before the response left completely. Last call. */
  gone(reason: Reason): void
}

/** Answers one exchange. Framing (Content-Length as given, else chunked, else close) is the responder's own affair. */
export interface Responder {
  readonly headSent: boolean
  watch(watcher: ResponderWatcher): void
  /** Sends a 1xx other than 100 and 101; dropped where the client's version has none. */
  inform(status: number, headers: HeaderList): void
  head(head: ResponseHead): void
  /** False: hold on until `drained`. Bytes for HEAD, 204 and 304 are dropped. */
  write(chunk: Buffer): boolean
  /**
   * True where every chunk given so far was written out or copied, so that its memory may be used again; without this method
   * the chunks are the responder's for good.
   */
  hasConsumed?(): boolean
  end(trailers: HeaderList): void
  /** Cuts the connection (HTTP/1) or resets the stream (HTTP/2), so that a part is never taken for the whole. */
  abort(): void
}

/** One downstream request with its response, free of the protocol it came by. */
export interface Exchange {
  readonly head: RequestHead
  readonly client: ClientAddress
  /** Undefined where the request has no body. */
  readonly body: BodySource | undefined
  readonly responder: Responder
}

/** A request to leave HTTP for another protocol on the same connection (RFC 9110 §7.8). */
export interface UpgradeExchange {
  readonly head: RequestHead
  readonly client: ClientAddress
  /** Answers where the upgrade is refused; the connection closes after it. Not to be used once `accept` was called. */
  readonly responder: Responder
  /** Writes the 101 with these fields and hands over the socket; `first` are bytes that were read past the request head. */
  accept(head: ResponseHead): { readonly socket: Duplex; readonly first: Buffer }
}
