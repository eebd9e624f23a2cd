import type { RequestHead } from '../exchange.ts'
import { findHeader } from '../header-list.ts'

/**
 * The method that a browser asks leave for; undefined where a request is no preflight
 * (https://fetch.spec.whatwg.org/#cors-preflight-request).
 */
export function preflightMethod({ method, headers }: RequestHead): string | undefined {
  if (method !== 'OPTIONS' || findHeader(headers, 'origin') === undefined) return undefined
  return findHeader(headers, 'access-control-request-method')
}
