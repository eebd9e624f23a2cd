import type { ResponseHead } from '../../exchange.ts'
import { hasToken } from '../../header-list.ts'
import { parseContentLength } from '../../http1/content-length.ts'
import { parseFieldLines, skipLineEnd } from '../../http1/field-lines.ts'
import { MalformedMessage } from '../../http1/malformed-message.ts'
import { FIELD_TEXT, SPACE } from '../../http1/octets.ts'
import { isPlainlyChunked } from '../../http1/transfer-coding.ts'
import { computeKeptMs } from './keep-alive.ts'

export const STATUS_LINE_START = 'HTTP/1.'

const ZERO = 48
const NINE = 57
const STATUS_AT = 'HTTP/1.1 '.length
const REASON_AT = 'HTTP/1.1 200 '.length

/** A response head and all that its fields say about where the response ends and what becomes of the connection. */
export interface ParsedHead {
  /** 100–599. */
  readonly head: ResponseHead
  readonly isChunked: boolean
  /** Content-Length; -1 where there is none. */
  readonly lengthBytes: number
  /** How long the connection may be idle after the response; 0 where it ends with it. HTTP/1.0 always does. */
  readonly keptMs: number
}

/**
 * Reads a whole head, from the status line to the empty line. Throws MalformedMessage for what RFC 9112 does not
 * allow, and for every head that says more than one thing about the length of its body (§6.1, §6.3).
 */
export function parseResponseHead(text: string): ParsedHead {
  const isOld = text.charCodeAt(STATUS_LINE_START.length) === ZERO
  if (!text.startsWith(isOld ? 'HTTP/1.0 ' : 'HTTP/1.1 ')) throw new MalformedMessage('status line', text)
  const status = parseStatus(text)
  // RFC 9112 §4 asks for the space even where no reason follows; servers that leave it out are common.
  let at = text.charCodeAt(REASON_AT - 1) === SPACE ? REASON_AT : REASON_AT - 1
  if (at === REASON_AT) while (FIELD_TEXT[text.charCodeAt(at)] === 1) at++
  const statusText = text.substring(REASON_AT, at)
  const headers = parseFieldLines(text, skipLineEnd(text, at))
  return readFraming(text, { status, statusText, headers }, isOld)
}

function parseStatus(text: string): number {
  let status = 0
  for (let at = STATUS_AT; at < STATUS_AT + 3; at++) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > NINE) throw new MalformedMessage('status line', text)
    status = status * 10 + code - ZERO
  }
  if (status < 100 || status > 599) throw new MalformedMessage('status', status)
  return status
}

function readFraming(text: string, head: ResponseHead, isOld: boolean): ParsedHead {
  const { headers } = head
  let lengthBytes = -1
  let isChunked = false
  let persists = !isOld
  let keepAlive: string | undefined
  // Three lengths tell almost every other field apart without a look at its name.
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (lengthBytes !== -1) throw new MalformedMessage('second Content-Length', headers[i + 1])
      lengthBytes = parseLength(headers[i + 1] ?? '')
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      // RFC 9112 §6.1: TE was not sent, so chunked is the only coding that may be used.
      if (isChunked || isOld || !isPlainlyChunked(text)) {
        throw new MalformedMessage('Transfer-Encoding', headers[i + 1])
      }
      isChunked = true
    } else if (name.length === 10) {
      const lowerName = name.toLowerCase()
      if (lowerName === 'connection') persists = persists && !hasToken(headers[i + 1], 'close')
      else if (lowerName === 'keep-alive') keepAlive = headers[i + 1]
    }
  }
  if (isChunked && lengthBytes !== -1)
    throw new MalformedMessage('Content-Length beside Transfer-Encoding', lengthBytes)
  return { head, isChunked, lengthBytes, keptMs: persists ? computeKeptMs(keepAlive) : 0 }
}

function parseLength(value: string): number {
  const lengthBytes = parseContentLength(value)
  if (lengthBytes === -1) throw new MalformedMessage('Content-Length', value)
  return lengthBytes
}
