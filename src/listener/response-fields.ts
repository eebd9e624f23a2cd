import type { HeaderList } from '../header-list.ts'

/** The fields of a response without those that belong to the connection, and the length that they announce. */
export interface ResponseFields {
  readonly fields: string[]
  /** -1: none is announced. */
  readonly lengthBytes: number
  readonly hasTrailerField: boolean
}

/**
 * Takes out Connection, Keep-Alive, Proxy-Connection and Transfer-Encoding: framing and the life of the connection are the
 * listener's own affair. Undefined where the length is no number or given in two ways: what follows cannot be framed.
 */
export function takeResponseFields(headers: HeaderList): ResponseFields | undefined {
  const fields: string[] = []
  let lengthName = ''
  let length: string | undefined
  let hasTrailerField = false
  let lengthGoesLast = false
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    switch (name.length) {
      case 7:
        if (name.toLowerCase() === 'trailer') hasTrailerField = true
        break
      case 10:
      case 16:
      case 17:
        if (CONNECTION_FIELDS.has(name.toLowerCase())) continue
        break
      case 14:
        if (name !== 'Content-Length' && name.toLowerCase() !== 'content-length') break
        if (length !== undefined) return undefined
        lengthName = name
        length = value
        break
      case 19:
        // Node recodes it behind a Content-Length (nodejs/node#46528), so that UTF-8 comes out as something else.
        if (name.toLowerCase() === 'content-disposition' && NOT_ASCII.test(value)) lengthGoesLast = true
        break
    }
    fields.push(name, value)
  }
  if (length === undefined) return { fields, lengthBytes: -1, hasTrailerField }
  if (lengthGoesLast) fields.push(...fields.splice(fields.indexOf(lengthName), 2))
  return DIGITS.test(length) ? { fields, lengthBytes: Number(length), hasTrailerField } : undefined
}

/** A copy of the fields that can stand in a message: names that are tokens, values without control bytes (RFC 9110 §5.5). */
export function keepSoundFields(fields: HeaderList): string[] {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    if (TOKEN.test(name) && !UNSOUND_VALUE.test(value)) kept.push(name, value)
  }
  return kept
}

/** The reason phrase, or nothing where it could end the line (RFC 9112 §4). */
export function soundStatusText(text: string): string {
  return UNSOUND_VALUE.test(text) ? '' : text
}

/** A whole head in Latin-1; unsound fields are left out. */
export function renderHead(status: number, statusText: string, fields: HeaderList): string {
  const sound = keepSoundFields(fields)
  let head = `HTTP/1.1 ${status} ${soundStatusText(statusText)}\r\n`
  for (let i = 0; i < sound.length; i += 2) head += `${sound[i]}: ${sound[i + 1]}\r\n`
  return `${head}\r\n`
}

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
])

const DIGITS = /^\d{1,15}$/
const NOT_ASCII = /[\x80-\uffff]/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const UNSOUND_VALUE = /[^\t\x20-\x7e\x80-\xff]/
