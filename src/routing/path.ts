const SLASH = 0x2f
const DOT = 0x2e
const PERCENT = 0x25
const SEMICOLON = 0x3b
const LETTER_E = 0x65
const CASE_BIT = 0x20

/** The byte that the escape at `at` (RFC 3986 §2.1) stands for; -1 where it is incomplete or not hexadecimal. */
export function decodeEscape(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at + 1))
  const low = hexDigit(text.charCodeAt(at + 2))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

/**
 * The path without dot segments, plain or escaped (RFC 3986 §5.2.4); everything else stays as it is, doubled slashes
 * too. Undefined where it climbs above the root and that is refused, as a browser would not. The path starts with a slash.
 */
export function resolveDotSegments(path: string, climb: 'refuse' | 'stop at root'): string | undefined {
  if (!hasDotSegment(path)) return path
  const kept: string[] = []
  for (let start = 1; ; ) {
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const dots = countDots(path, start, end)
    if (dots === 0) kept.push(path.slice(start, end))
    else if (dots === 2 && kept.pop() === undefined && climb === 'refuse') return undefined
    else if (slash === -1) kept.push('')
    if (slash === -1) return `/${kept.join('/')}`
    start = slash + 1
  }
}

/**
 * True where a `..` stands beside an escaped slash or a semicolon (`..%2Fx`, `a%2F..`, `..;x`): a path that means one thing
 * to who matches it, and another to a backend that decodes it, or takes its parameters off, before it resolves it.
 */
export function hidesClimb(path: string): boolean {
  let start = 1
  for (let i = 1; i <= path.length; i++) {
    const code = path.charCodeAt(i)
    const isEscapedSlash = code === PERCENT && decodeEscape(path, i) === SLASH
    if (i < path.length && code !== SLASH && code !== SEMICOLON && !isEscapedSlash) continue
    if (countDots(path, start, i) === 2) return true
    if (isEscapedSlash) i += 2
    start = i + 1
  }
  return false
}

/**
 * The form in which paths are compared, never sent: runs of slashes are one, escapes of visible ASCII are decoded except
 * those of `/` and `%`, the others are in upper case. The path is free of dot segments and broken escapes.
 */
export function toMatchPath(path: string): string {
  let form = ''
  let from = 0
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === SLASH && path.charCodeAt(i + 1) === SLASH) {
      form += path.slice(from, i)
      from = i + 1
    } else if (code === PERCENT) {
      form += path.slice(from, i) + normalizeEscape(path, i)
      i += 2
      from = i + 1
    }
  }
  return from === 0 ? path : form + path.slice(from)
}

/** A path from the configuration, which may say plainly what a message has to escape. Escapes in it stay. */
export function escapePath(path: string): string {
  return path.replace(/[^\x21-\x7e]+|[?#]/gu, (text) => encodeURIComponent(text.toWellFormed()))
}

/** Index in `path` behind its first `count` segments, each with the slashes before it. */
export function skipSegments(path: string, count: number, end: number): number {
  let i = 0
  for (let segment = 0; segment < count; segment++) {
    while (i < end && path.charCodeAt(i) === SLASH) i++
    while (i < end && path.charCodeAt(i) !== SLASH) i++
  }
  return i
}

function hasDotSegment(path: string): boolean {
  for (let start = 1; start !== 0; start = path.indexOf('/', start) + 1) {
    const code = path.charCodeAt(start)
    if (code !== DOT && code !== PERCENT) continue
    const slash = path.indexOf('/', start)
    if (countDots(path, start, slash === -1 ? path.length : slash) > 0) return true
  }
  return false
}

/** 1 for `.`, 2 for `..`, each dot plain or escaped; 0 for any other segment. */
function countDots(path: string, start: number, end: number): number {
  let dots = 0
  for (let i = start; i < end; i++) {
    if (isEscapedDot(path, i)) i += 2
    else if (path.charCodeAt(i) !== DOT) return 0
    if (++dots > 2) return 0
  }
  return dots
}

function isEscapedDot(path: string, at: number): boolean {
  return (
    path.charCodeAt(at) === PERCENT &&
    path.charCodeAt(at + 1) === 0x32 &&
    (path.charCodeAt(at + 2) | CASE_BIT) === LETTER_E
  )
}

function normalizeEscape(path: string, at: number): string {
  const byte = decodeEscape(path, at)
  const visible = byte > 0x20 && byte < 0x7f && byte !== SLASH && byte !== PERCENT
  return visible ? String.fromCharCode(byte) : path.slice(at, at + 3).toUpperCase()
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | CASE_BIT
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
