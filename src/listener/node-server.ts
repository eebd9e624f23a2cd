import { createServer, IncomingMessage, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { connectionOf } from './socket-events.ts'

export type SecureServerOptions = SecureContextOptions & TlsOptions

/** Node looks for slow heads this often: a head may take that much longer than `timeouts.header`. */
const HEADER_CHECK_MS = 500

/** A server without any rule of its own where this program has one; `tls` undefined: plain HTTP. */
export function createNodeServer(tls: SecureServerOptions | undefined): NodeServer {
  const server = tls === undefined ? createServer(OPTIONS) : createSecureServer({ ...OPTIONS, ...tls })
  // Above a count Node drops fields without a word: they are all taken, and counted by `checkRequestHead`.
  server.maxHeadersCount = 0
  return Object.assign(server, {
    maxHeaderSize: 0,
    // A client that sends FIN behind its request still gets its answer.
    httpAllowHalfOpen: true,
  })
}

/** What Node reads at run time but its types do not know. */
export type NodeServer = Server<typeof RawRequest> & {
  /** Bytes of names, values and target together; taken by connections that begin after it. */
  maxHeaderSize: number
  httpAllowHalfOpen: boolean
}

/**
 * node:http builds the header object of every request to look for Host, TE and Expect. Those are looked after from the
 * raw list, so that it need not be built; Expect (RFC 9110 §10.1.1) is then left to `checkRequestHead` and the body.
 */
class RawRequest extends IncomingMessage {
  static {
    Object.defineProperty(RawRequest.prototype, 'headers', { value: Object.freeze({}) })
  }
}

const OPTIONS: ServerOptions<typeof RawRequest> = {
  IncomingMessage: RawRequest,
  connectionsCheckingInterval: HEADER_CHECK_MS,
  // The idle timeout of the body covers it, and large uploads may take their time.
  requestTimeout: 0,
  keepAliveTimeoutBuffer: 0,
  requireHostHeader: false,
  // Else any Upgrade (h2c) would take the connection away from HTTP. Node before 22.23 does not ask.
  shouldUpgradeCallback: (message) => connectionOf(message.socket)?.maySwitch(message) ?? false,
}
