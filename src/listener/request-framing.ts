import { METHODS } from 'node:http'
import { type HeaderList, hasToken } from '../header-list.ts'
import { parseContentLength } from '../http1/content-length.ts'
import { REASONS, type Reason } from '../reason.ts'
import { isAuthority } from '../routing/authority.ts'
import { parseRequestTarget } from '../routing/request-target.ts'

/** A request head as the parser hands it over: every field in wire order, none dropped. */
export interface RawRequestHead {
  readonly method: string
  readonly target: string
  readonly httpVersion: string
  readonly headers: HeaderList
}

export interface RequestFraming {
  readonly kind: 'sound'
  readonly authority: string
  readonly hasBody: boolean
  /** Undefined for a chunked body, and where there is none. */
  readonly lengthBytes: number | undefined
  /** The client lets another request follow on the connection (RFC 9112 §9.3). */
  readonly persists: boolean
  /** The protocol that the client asks for in place of HTTP (RFC 9110 §7.8); of the others it may not be able to go back. */
  readonly upgrade: 'none' | 'websocket' | 'other'
  /** The client waits for 100 Continue before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean
}

export interface UnsoundRequest {
  readonly kind: 'unsound'
  readonly reason: Reason
  readonly status: number
  /** For the log. */
  readonly detail: string
}

/**
 * Decides what a well-formed request head means, or that it could mean two things. `maxFields` is the number of fields that
 * is still allowed.
 */
export function checkRequestHead(head: RawRequestHead, maxFields: number): RequestFraming | UnsoundRequest {
  const { method, target, httpVersion, headers } = head
  if (headers.length > maxFields * 2) {
    return unsound(`${headers.length / 2} header fields, more than ${maxFields}`, 'header_too_large')
  }
  if (!METHOD_NAMES.has(method)) return unsound(`${method} is no HTTP method`)
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    const isOther = !httpVersion.startsWith('1.')
    return unsound(`HTTP/${httpVersion} is not spoken here`, 'bad_request', isOther ? 505 : 400)
  }
  return checkFields(head, httpVersion === '1.0', checkTarget(method, target))
}

/** The first trailer that says where a message or its connection ends, which only a head may (RFC 9110 §6.5.1). */
export function findBarredTrailer(trailers: HeaderList): string | undefined {
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string
    if (BARRED_TRAILERS.has(name.toLowerCase())) return name
  }
  return undefined
}

const BARRED_TRAILERS: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding', 'upgrade'])

const METHOD_NAMES: ReadonlySet<string> = new Set(METHODS.filter((name) => name !== 'CONNECT'))

const SLASH = 0x2f

type TargetForm = { readonly authority: string | undefined } | { readonly problem: string }

const ORIGIN_FORM: TargetForm = { authority: undefined }

/** What stands inside of an origin form is for the router to judge. */
function checkTarget(method: string, target: string): TargetForm {
  if (target.charCodeAt(0) === SLASH) return ORIGIN_FORM
  const parsed = parseRequestTarget(target)
  if (parsed.kind === 'bad') return { problem: parsed.detail }
  if (parsed.kind === 'path') return { authority: parsed.authority }
  return method === 'OPTIONS' ? ORIGIN_FORM : { problem: `target * with ${method}` }
}

function checkFields(head: RawRequestHead, isOld: boolean, target: TargetForm): RequestFraming | UnsoundRequest {
  if ('problem' in target) return unsound(target.problem)
  const { headers } = head
  let host: string | undefined
  let length: string | undefined
  let coding: string | undefined
  let expectation: string | undefined
  let connection: string | undefined
  let protocol: string | undefined
  let isProxyClosing = false
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    switch (name.length) {
      case 4:
        if (name !== 'Host' && name.toLowerCase() !== 'host') break
        if (host !== undefined) return unsound('more than one Host')
        host = value
        break
      case 6:
        if (name.toLowerCase() === 'expect')
          expectation = expectation === undefined ? value : `${expectation}, ${value}`
        break
      case 7:
        if (name.toLowerCase() === 'upgrade') protocol = protocol === undefined ? value : `${protocol}, ${value}`
        break
      case 10:
        if (name.toLowerCase() !== 'connection') break
        connection = connection === undefined ? value : `${connection}, ${value}`
        break
      case 14:
        if (name.toLowerCase() !== 'content-length') break
        // RFC 9110 §8.6 lets a recipient fold equal values into one; not every backend does.
        if (length !== undefined) return unsound('more than one Content-Length')
        length = value
        break
      case 16:
        // Not a field of HTTP (RFC 9112 §C.2.2), but some take it for Connection: behind its close nothing is looked at.
        if (name.toLowerCase() === 'proxy-connection') isProxyClosing ||= hasToken(value, 'close')
        break
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break
        if (coding !== undefined) return unsound('more than one Transfer-Encoding')
        coding = value
        break
    }
  }
  if (host === undefined) {
    if (!isOld) return unsound('HTTP/1.1 without Host')
    // RFC 9112 §3.2 allows an empty Host only where the target URI has no authority; an http URI always has one
    // (RFC 9110 §4.2.1), so that an empty one is as bad as any other that is no authority.
  } else if (!isAuthority(host)) return unsound(`Host ${JSON.stringify(host)} is not host or host:port`)
  const lengthBytes = length === undefined ? 0 : parseContentLength(length)
  if (lengthBytes === -1) return unsound(`Content-Length ${JSON.stringify(length)} is not a number`)
  if (coding !== undefined) {
    if (length !== undefined) return unsound('Transfer-Encoding with Content-Length')
    if (isOld) return unsound('Transfer-Encoding in HTTP/1.0')
    if (coding.toLowerCase() !== 'chunked') return unsound(`Transfer-Encoding ${JSON.stringify(coding)}`)
  }
  const expectsContinue = expectation !== undefined && !isOld
  if (expectsContinue && expectation?.toLowerCase() !== '100-continue') {
    return unsound(`Expect ${JSON.stringify(expectation)}`, 'bad_request', 417)
  }
  const hasBody = coding !== undefined || lengthBytes > 0
  return {
    kind: 'sound',
    authority: target.authority ?? host ?? '',
    hasBody,
    lengthBytes: lengthBytes > 0 ? lengthBytes : undefined,
    persists: !isProxyClosing && !hasToken(connection, 'close') && (!isOld || hasToken(connection, 'keep-alive')),
    upgrade: protocol === undefined ? 'none' : findUpgrade(head, isOld || hasBody, connection, protocol),
    expectsContinue: expectsContinue && hasBody,
  }
}

/**
 * Of a WebSocket RFC 6455 §4.1 says what the request has to be. Where it has a body too, bytes that are a body to some and
 * the new protocol to others stay what Content-Length and Transfer-Encoding say.
 */
function findUpgrade(
  { method }: RawRequestHead,
  isUnfit: boolean,
  connection: string | undefined,
  protocol: string,
): RequestFraming['upgrade'] {
  if (!hasToken(connection, 'upgrade')) return 'none'
  return method === 'GET' && !isUnfit && hasToken(protocol, 'websocket') ? 'websocket' : 'other'
}

function unsound(detail: string, reason: Reason = 'bad_request', status?: number): UnsoundRequest {
  return { kind: 'unsound', reason, status: status ?? REASONS[reason].status, detail }
}
