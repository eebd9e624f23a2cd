import type { IncomingMessage } from 'node:http'
import { headerValues } from '../header-list.ts'

export const MAX_RESPONSE_HEAD_BYTES = 65_536

/** Why a response head that node:http let through must not be passed on; undefined where it may. */
export function findResponseFault({ statusCode = 0, rawHeaders, httpVersion }: IncomingMessage): Error | undefined {
  if (statusCode < 200 || statusCode > 599) return new Error(`status ${statusCode}`)
  const codings = headerValues(rawHeaders, 'transfer-encoding')
  if (codings.length === 0) return undefined
  // RFC 9112 §6.1: TE was not sent, so chunked is the only coding that may be used; in HTTP/1.0 there is none.
  if (codings.length > 1 || codings[0]?.trim().toLowerCase() !== 'chunked') {
    return new Error(`transfer coding ${codings.join(', ')}`)
  }
  return httpVersion === '1.0' ? new Error('transfer coding in HTTP/1.0') : undefined
}
