import type { IncomingMessage } from 'node:http'
import type { RequestHead } from '../exchange.ts'
import type { RawRequestHead, RequestFraming } from './request-framing.ts'

export function rawHeadOf({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): RawRequestHead {
  return { method, target: url, httpVersion, headers: rawHeaders }
}

export function toRequestHead(raw: RawRequestHead, { authority }: RequestFraming): RequestHead {
  const { method, target, headers } = raw
  return { method, target, authority, headers, httpVersion: raw.httpVersion === '1.0' ? '1.0' : '1.1' }
}
