import { isAuthority } from './authority.ts'
import { decodeEscape, hidesClimb, resolveDotSegments, toMatchPath } from './path.ts'

const SLASH = 0x2f
const DOT = 0x2e
const PERCENT = 0x25
const QUESTION_MARK = 0x3f
const HASH = 0x23
const BACKSLASH = 0x5c
const DELETE = 0x7f

export interface PathTarget {
  readonly kind: 'path'
  /** Of an absolute-form target: it wins over Host (RFC 9112 §3.2.2). Undefined in origin form. */
  readonly authority: string | undefined
  /** Path and query as they are sent on: dot segments resolved, all else byte for byte. */
  readonly uri: string
  /** Where in `uri` the query begins, with its question mark; the length of `uri` where there is none. */
  readonly queryAt: number
  /** The path as it is compared: see `toMatchPath`. */
  readonly matchPath: string
  /** The path has a `%2F`. */
  readonly encodedSlash: boolean
}

export interface BadTarget {
  readonly kind: 'bad'
  /** For the log. */
  readonly detail: string
}

export type ParsedTarget = PathTarget | { readonly kind: 'asterisk' } | BadTarget

const ASTERISK: ParsedTarget = { kind: 'asterisk' }

/**
 * Reads origin form, absolute form (`http`, `https`) and `*` (RFC 9112 §3.2); the authority form of CONNECT is bad.
 * Whatever could mean one path to us and another to a backend is bad too: a path that climbs above the root, a backslash
 * (raw or `%5C`), `%00`, a broken escape, a byte that RFC 3986 §3.3 does not allow raw, a fragment.
 */
export function parseRequestTarget(target: string): ParsedTarget {
  if (target.charCodeAt(0) === SLASH) return parseOriginForm(target, undefined)
  if (target === '*') return ASTERISK
  return parseAbsoluteForm(target)
}

/** The query with its question mark; '' where there is none. */
export function queryOf(target: ParsedTarget): string {
  return target.kind === 'path' ? target.uri.slice(target.queryAt) : ''
}

function parseAbsoluteForm(target: string): ParsedTarget {
  const scheme = target.slice(0, 8).toLowerCase()
  const start = scheme === 'https://' ? 8 : scheme.startsWith('http://') ? 7 : 0
  if (start === 0) return bad('the target is neither a path nor an http URL')
  let end = start
  while (end < target.length && !endsAuthority(target.charCodeAt(end))) end++
  const authority = target.slice(start, end)
  if (!isAuthority(authority)) return bad("the target's authority is not host or host:port")
  const rest = target.slice(end)
  return parseOriginForm(rest.charCodeAt(0) === SLASH ? rest : `/${rest}`, authority)
}

function parseOriginForm(uri: string, authority: string | undefined): ParsedTarget {
  let isPlain = true
  let queryAt = uri.length
  for (let i = 0; i < uri.length; i++) {
    const code = uri.charCodeAt(i)
    if (code === SLASH) {
      const next = uri.charCodeAt(i + 1)
      if (next === SLASH || next === DOT) isPlain = false
    } else if (code === PERCENT) {
      isPlain = false
    } else if (code === QUESTION_MARK) {
      queryAt = i
      break
    } else if (code <= 0x20 || code >= DELETE || code === BACKSLASH || code === HASH) {
      return bad(`the path has a raw ${nameOf(code)}`)
    }
  }
  for (let i = queryAt + 1; i < uri.length; i++) {
    const code = uri.charCodeAt(i)
    // Bytes above ASCII are no URI either, but clients send them and no backend frames or splits by them.
    if (code <= 0x20 || code === DELETE || code === HASH || code > 0xff)
      return bad(`the query has a raw ${nameOf(code)}`)
  }
  if (!isPlain) return normalize(uri, queryAt, authority)
  const matchPath = queryAt === uri.length ? uri : uri.slice(0, queryAt)
  return { kind: 'path', authority, uri, queryAt, matchPath, encodedSlash: false }
}

function normalize(uri: string, queryAt: number, authority: string | undefined): ParsedTarget {
  const raw = uri.slice(0, queryAt)
  let encodedSlash = false
  for (let i = raw.indexOf('%'); i !== -1; i = raw.indexOf('%', i + 3)) {
    const byte = decodeEscape(raw, i)
    if (byte === -1) return bad('the path has a broken escape')
    if (byte === 0 || byte === BACKSLASH) return bad(`the path has an escaped ${nameOf(byte)}`)
    if (byte === SLASH) encodedSlash = true
  }
  const path = resolveDotSegments(raw, 'refuse')
  if (path === undefined) return bad('the path climbs above the root')
  if ((encodedSlash || path.includes(';')) && hidesClimb(path)) return bad('the path hides a dot segment')
  return {
    kind: 'path',
    authority,
    uri: path === raw ? uri : path + uri.slice(queryAt),
    queryAt: path.length,
    matchPath: toMatchPath(path),
    // The segment that had it may be gone.
    encodedSlash: encodedSlash && (path === raw || /%2f/i.test(path)),
  }
}

function endsAuthority(code: number): boolean {
  return code === SLASH || code === QUESTION_MARK || code === HASH
}

function nameOf(code: number): string {
  if (code === 0x20) return 'space'
  if (code === BACKSLASH) return 'backslash'
  if (code === HASH) return 'fragment'
  return `byte 0x${code.toString(16).padStart(2, '0')}`
}

function bad(detail: string): BadTarget {
  return { kind: 'bad', detail }
}
