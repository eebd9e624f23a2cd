import type { CorsConfig } from '../config/cors-config.ts'
import { findHeader, type HeaderList, NO_HEADERS } from '../header-list.ts'
import { CorsResponder } from './cors-responder.ts'
import type { Gate, Verdict } from './gate.ts'
import { compileOrigins, type OriginMatcher } from './origins.ts'
import { preflightMethod } from './preflight.ts'

/** Longest list of names that is given back. */
const MOST_ASKED_BYTES = 4_096
/** RFC 9110 §5.6.1: tokens with commas between them. */
const NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z,\t -]+$/

/**
 * Puts a route's own Access-Control fields on whatever answers, errors of the proxy included, in place of the backend's. Comes
 * before everything that may answer.
 */
export function createCorsGate(config: CorsConfig): Gate {
  const origins = compileOrigins(config.origins)
  const expose =
    config.exposeHeaders.length === 0 ? [] : ['Access-Control-Expose-Headers', config.exposeHeaders.join(', ')]
  const more = [...credentialFields(config), ...expose]
  const forAny: HeaderList = ['Access-Control-Allow-Origin', '*', ...more]
  return {
    enter(arrival) {
      const { responder, head, upgrade } = arrival
      // Browsers ask nobody before they open a WebSocket.
      if (upgrade !== undefined || preflightMethod(head) !== undefined) return undefined
      const origin = findHeader(head.headers, 'origin')
      const fields = origins.isAny ? forAny : allow(origins, origin, more)
      arrival.responder = new CorsResponder(responder, fields, !origins.isAny)
      return undefined
    },
  }
}

/**
 * Answers preflights, which carry no credentials and belong to no limit. What is not allowed is not said: the browser refuses it.
 */
export function createPreflightGate(config: CorsConfig): Gate {
  const { methods, headers, maxAgeMs } = config
  const origins = compileOrigins(config.origins)
  const allowed = headers.join(', ')
  const more = [
    ...credentialFields(config),
    ...['Access-Control-Allow-Methods', methods.join(', ')],
    ...['Access-Control-Max-Age', String(Math.round(maxAgeMs / 1000))],
  ]
  const vary = [...(origins.isAny ? [] : ['Origin']), ...(allowed === '' ? ['Access-Control-Request-Headers'] : [])]
  const varyFields = vary.length === 0 ? [] : ['Vary', vary.join(', ')]
  return {
    enter({ head }): Verdict | undefined {
      if (preflightMethod(head) === undefined) return undefined
      const fields = origins.isAny
        ? ['Access-Control-Allow-Origin', '*', ...more]
        : allow(origins, findHeader(head.headers, 'origin'), more)
      const names = allowed === '' ? readNames(findHeader(head.headers, 'access-control-request-headers')) : allowed
      const forNames = fields.length === 0 || names === '' ? [] : ['Access-Control-Allow-Headers', names]
      return { kind: 'respond', status: 204, headers: [...fields, ...forNames, ...varyFields], body: Buffer.alloc(0) }
    },
  }
}

function allow(origins: OriginMatcher, origin: string | undefined, more: HeaderList): HeaderList {
  if (origin === undefined || !origins.has(origin)) return NO_HEADERS
  return ['Access-Control-Allow-Origin', origin, ...more]
}

function credentialFields({ credentials }: CorsConfig): HeaderList {
  return credentials ? ['Access-Control-Allow-Credentials', 'true'] : []
}

/** '' where they are no names, or too many. */
function readNames(asked = ''): string {
  return asked.length <= MOST_ASKED_BYTES && NAMES.test(asked) ? asked : ''
}
