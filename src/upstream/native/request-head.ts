import type { HeaderList } from '../../header-list.ts'
import { consistsOf, FIELD_TEXT, isWithin, TARGET, TOKEN } from '../../http1/octets.ts'
import type { UpstreamRequest } from '../engine.ts'
import { mayLackBody } from '../framing.ts'

/**
 * The head as it goes out, each character one octet (latin1). Nothing is encoded or repaired: a method, path or field that
 * could end early or be read in another way throws, and so does CONNECT, whose answers are framed by other rules.
 */
export function renderRequestHead({ method, path, headers, body }: UpstreamRequest): string {
  if (!consistsOf(TOKEN, method) || method === 'CONNECT') throw new Error(`request method ${JSON.stringify(method)}`)
  if (!consistsOf(TARGET, path)) throw new Error(`request path ${JSON.stringify(path)}`)
  const isChunked = body !== undefined && body.lengthBytes === undefined
  let text = `${method} ${path} HTTP/1.1\r\n`
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!isOfConnection(name, isChunked)) text += renderField(name, headers[i + 1] ?? '')
  }
  if (isChunked) return `${text}Transfer-Encoding: chunked\r\n\r\n`
  if (body !== undefined) return `${text}Content-Length: ${body.lengthBytes}\r\n\r\n`
  return mayLackBody(method) ? `${text}\r\n` : `${text}Content-Length: 0\r\n\r\n`
}

/** The last chunk with these trailers behind it. Throws like `renderRequestHead`. */
export function renderLastChunk(trailers: HeaderList): string {
  let text = '0\r\n'
  for (let i = 0; i < trailers.length; i += 2) text += renderField(trailers[i] ?? '', trailers[i + 1] ?? '')
  return `${text}\r\n`
}

function renderField(name: string, value: string): string {
  if (!consistsOf(TOKEN, name)) throw new Error(`request field ${JSON.stringify(name)}`)
  if (!isWithin(FIELD_TEXT, value)) throw new Error(`value of the request field ${name}`)
  return `${name}: ${value}\r\n`
}

/** Fields that this connection states by itself or not at all; Trailer announces what only a chunked body can carry. */
function isOfConnection(name: string, isChunked: boolean): boolean {
  switch (name.length) {
    case 6:
      return name.toLowerCase() === 'expect'
    case 7:
      return isTrailerOrUpgrade(name.toLowerCase(), isChunked)
    case 10:
      return name.toLowerCase() === 'connection'
    case 14:
      return name.toLowerCase() === 'content-length'
    case 17:
      return name.toLowerCase() === 'transfer-encoding'
    default:
      return false
  }
}

function isTrailerOrUpgrade(lowerName: string, isChunked: boolean): boolean {
  return lowerName === 'upgrade' || (lowerName === 'trailer' && !isChunked)
}
