import type { HeaderList } from '../header-list.ts'
import { parseContentLength } from '../http1/content-length.ts'
import { consistsOf, FIELD_TEXT, isWithin, TOKEN } from '../http1/octets.ts'

/** The fields of a response as text, without those that belong to the connection, and what they say of its framing. */
export interface ResponseFields {
  readonly text: string
  /** -1: none is announced. */
  readonly lengthBytes: number
  /** The Trailer fields, which are not in `text`. */
  readonly trailerText: string
  readonly hasDate: boolean
}

/**
 * Takes out Connection, Keep-Alive, Proxy-Connection and Transfer-Encoding: framing and the life of the connection are the
 * listener's own affair; and Content-Length from a 204 (RFC 9110 §8.6). Fields that cannot stand in a message are left out.
 * Undefined where the length is no number or given in two ways: what follows cannot be framed.
 */
export function renderResponseFields(headers: HeaderList, isLengthBarred: boolean): ResponseFields | undefined {
  let text = ''
  let trailerText = ''
  let length: string | undefined
  let hasDate = false
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    switch (name.length) {
      case 4:
        if (name === 'Date' || name.toLowerCase() === 'date') hasDate = true
        break
      case 7:
        if (name.toLowerCase() !== 'trailer') break
        if (isSound(name, value)) trailerText += `${name}: ${value}\r\n`
        continue
      case 10:
      case 16:
      case 17:
        if (CONNECTION_FIELDS.has(name.toLowerCase())) continue
        break
      case 14:
        if (name !== 'Content-Length' && name.toLowerCase() !== 'content-length') break
        if (length !== undefined) return undefined
        length = value
        if (isLengthBarred) continue
        break
    }
    if (isSound(name, value)) text += `${name}: ${value}\r\n`
  }
  if (length === undefined) return { text, lengthBytes: -1, trailerText, hasDate }
  const lengthBytes = parseContentLength(length)
  return lengthBytes === -1 ? undefined : { text, lengthBytes, trailerText, hasDate }
}

/** Every field that can stand in a message, a line each. */
export function renderFields(fields: HeaderList): string {
  let text = ''
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    if (isSound(name, value)) text += `${name}: ${value}\r\n`
  }
  return text
}

/** The reason phrase, or nothing where it could end the line (RFC 9112 §4). */
export function renderStatusLine(status: number, statusText: string): string {
  if (status === 200 && statusText === 'OK') return 'HTTP/1.1 200 OK\r\n'
  return `HTTP/1.1 ${status} ${isWithin(FIELD_TEXT, statusText) ? statusText : ''}\r\n`
}

/** A whole head in Latin-1. */
export function renderHead(status: number, statusText: string, fields: HeaderList): string {
  return `${renderStatusLine(status, statusText)}${renderFields(fields)}\r\n`
}

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
])

/** A name that is a token, a value without control bytes (RFC 9110 §5.5), nothing beyond Latin-1. */
function isSound(name: string, value: string): boolean {
  return consistsOf(TOKEN, name) && isWithin(FIELD_TEXT, value)
}
