import { isIPv6 } from 'node:net'
import { hostOf } from '../address.ts'

const COLON = 0x3a
const DOT = 0x2e
const OPENING_BRACKET = 0x5b
const MAX_PORT = 65535

export interface Authority {
  /** As `hostOf` gives it. */
  readonly host: string
  /** Undefined where none is named: the scheme's default. */
  readonly port: number | undefined
}

/**
 * True for a bare `host` or `host:port` (RFC 9110 §7.2): letters, digits, `-`, `.`, `_`, `~`, or an IPv6 literal in
 * brackets. No user part, no escapes, no list.
 */
export function isAuthority(text: string): boolean {
  const hostEnd = text.charCodeAt(0) === OPENING_BRACKET ? scanLiteral(text) : scanName(text)
  return hostEnd > 0 && (hostEnd === text.length || isPort(text, hostEnd))
}

/** Undefined where the text is not a bare authority; port 0 is none. */
export function parseAuthority(text: string): Authority | undefined {
  if (!isAuthority(text)) return undefined
  const digits = text.slice(text.lastIndexOf(':') + 1)
  const hasPort = text.includes(':') && !text.endsWith(']') && digits !== ''
  return { host: hostOf(text), port: hasPort ? Number(digits) : undefined }
}

function scanName(text: string): number {
  let i = 0
  while (i < text.length && isNameCharacter(text.charCodeAt(i))) i++
  return i
}

function scanLiteral(text: string): number {
  const end = text.indexOf(']')
  if (end === -1) return 0
  const address = text.slice(1, end)
  // A zone names an interface of the sender's own machine (RFC 6874 §1): nothing that another host can match.
  return isIPv6(address) && !address.includes('%') ? end + 1 : 0
}

function isPort(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== COLON || text.length - at > 6) return false
  let port = 0
  for (let i = at + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= MAX_PORT
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === DOT ||
    code === 0x5f ||
    code === 0x7e
  )
}
