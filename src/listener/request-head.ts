import { parseFieldLines } from '../http1/field-lines.ts'
import { MalformedMessage } from '../http1/malformed-message.ts'
import { SPACE, TOKEN, VISIBLE } from '../http1/octets.ts'
import type { RawRequestHead } from './request-framing.ts'

const LINE_END_LENGTH = '\r\n'.length
const VERSION_LENGTH = ' HTTP/1.1'.length

/**
 * Reads a whole head, from the request line to the empty line: single spaces, a token, visible characters, a version of one
 * digit each (RFC 9112 §3). Throws MalformedMessage for anything else; what it means is for `checkRequestHead` to say.
 */
export function parseRequestHead(text: string): RawRequestHead {
  // Constants need no copy, and are compared by address.
  const known = text.startsWith('GET ') ? 'GET' : text.startsWith('POST ') ? 'POST' : undefined
  const method = known ?? text.substring(0, skipWhile(TOKEN, text, 0))
  const targetAt = method.length + 1
  const at = skipWhile(VISIBLE, text, targetAt)
  if (method === '' || text.charCodeAt(targetAt - 1) !== SPACE || at === targetAt) {
    throw new MalformedMessage('request line', text)
  }
  const target = text.substring(targetAt, at)
  if (text.startsWith(' HTTP/1.1\r\n', at)) return { method, target, httpVersion: '1.1', headers: readFields(text, at) }
  // HTTP/0.9 has no version and no fields.
  if (text.startsWith('\r\n', at)) return { method, target, httpVersion: '0.9', headers: [] }
  const httpVersion = OTHER_VERSION.exec(text.substring(at, at + VERSION_LENGTH + LINE_END_LENGTH))?.[1]
  if (httpVersion === undefined) throw new MalformedMessage('request line', text)
  return { method, target, httpVersion, headers: readFields(text, at) }
}

const OTHER_VERSION = /^ HTTP\/(\d\.\d)\r\n$/

function readFields(text: string, versionAt: number): string[] {
  return parseFieldLines(text, versionAt + VERSION_LENGTH + LINE_END_LENGTH)
}

function skipWhile(table: Uint8Array, text: string, start: number): number {
  let at = start
  while (table[text.charCodeAt(at)] === 1) at++
  return at
}
