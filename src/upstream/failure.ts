import type { Reason } from '../reason.ts'
import type { UpstreamReason } from './engine.ts'

/** How far a connection had come when it failed. */
export type ConnectionPhase = 'dialing' | 'handshake' | 'open'

/** The cause of a failure that began with the request's own body: `reason` says what was wrong with it. */
export class RequestBodyError extends Error {
  readonly reason: Reason

  constructor(reason: Reason, cause?: Error) {
    super(`request body failed: ${reason}`, { cause })
    this.name = 'RequestBodyError'
    this.reason = reason
  }
}

/** The reason for an error of a connection; before it is open every error means that it could not be opened. */
export function explainFailure(error: Error, phase: ConnectionPhase, headReceived: boolean): UpstreamReason {
  if (phase === 'dialing') return 'connect_failed'
  if (phase === 'handshake') return 'tls_failed'
  const code = errorCode(error)
  if (code.startsWith('HPE_')) return 'bad_response'
  // With TLS 1.3 a refused client certificate shows only after the client's own handshake is over.
  if (code.startsWith('ERR_SSL_') && !headReceived) return 'tls_failed'
  return 'backend_reset'
}

/** The reason for an error thrown while a request was made: nothing of it was sent. */
export function explainThrown(error: Error): UpstreamReason {
  const code = errorCode(error)
  if (/^ERR_(TLS|SSL|OSSL|CRYPTO)_/.test(code)) return 'tls_failed'
  return code.startsWith('ERR_SOCKET_') ? 'connect_failed' : 'bad_response'
}

/** Where every address of a name was tried in vain, node's own error has no message. */
export function withMessage(error: Error): Error {
  if (error.message !== '' || !(error instanceof AggregateError)) return error
  return new Error(error.errors.map((each) => toError(each).message).join(', '), { cause: error })
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
