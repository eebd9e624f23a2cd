import { type Authority, parseAuthority } from '../../routing/authority.ts'
import { resolveDotSegments } from '../../routing/path.ts'
import { type BackendAuthority, defaultPort } from '../../upstream/backend-authority.ts'

const SLASH = 0x2f
const BACKSLASH = 0x5c

export interface LocationRule {
  /** What the route strips; '' where it strips nothing. */
  readonly prefix: string
  /** The backend was told the authority that the client used, and may name it. */
  readonly preserveHost: boolean
}

interface HttpUrl {
  /** Undefined: a reference that begins with two slashes. */
  readonly scheme: 'http' | 'https' | undefined
  readonly authority: Authority
  /** Index of what follows the authority. */
  readonly restAt: number
}

/**
 * A Location or Content-Location as the client has to see it. A path, or a URL of this backend, gets the stripped prefix
 * back unless it has it already; the backend's own address does not leave. Anything else stays: other hosts, relative
 * references, what is no URL. `authority` is the request's.
 */
export function rewriteLocation(
  value: string,
  rule: LocationRule,
  backend: BackendAuthority,
  authority: string,
): string {
  if (value.charCodeAt(0) === SLASH && !isSlash(value.charCodeAt(1))) {
    return rule.prefix === '' ? value : (addPrefix(value, rule.prefix) ?? value)
  }
  const url = parseHttpUrl(value)
  if (url === undefined) return value
  const rest = value.slice(url.restAt)
  if (pointsAtBackend(url, backend)) return toPathReference(addPrefix(rest, rule.prefix)) ?? value
  if (rule.prefix === '' || !rule.preserveHost || !pointsAtAuthority(url, authority)) return value
  const prefixed = addPrefix(rest, rule.prefix)
  return prefixed === undefined ? value : value.slice(0, url.restAt) + prefixed
}

/** `rest` is a path or nothing, then query and fragment; undefined where its path is none to rely on. */
function addPrefix(rest: string, prefix: string): string | undefined {
  const pathEnd = rest.search(/[?#]|$/)
  const path = resolveDotSegments(rest.slice(0, pathEnd) || '/', 'stop at root')
  if (path === undefined || path.includes('\\')) return undefined
  return (hasPrefix(path, prefix) ? path : prefix + path) + rest.slice(pathEnd)
}

function hasPrefix(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH)
}

/** RFC 3986 §4.2: a path that begins with two slashes would be read as an authority. */
function toPathReference(path: string | undefined): string | undefined {
  return path?.startsWith('//') ? `/.${path}` : path
}

function parseHttpUrl(value: string): HttpUrl | undefined {
  const start = value.slice(0, 8).toLowerCase()
  const scheme = start === 'https://' ? 'https' : start.startsWith('http://') ? 'http' : undefined
  if (scheme === undefined && !start.startsWith('//')) return undefined
  const authorityAt = scheme === undefined ? 2 : scheme.length + 3
  const length = value.slice(authorityAt).search(/[/?#]|$/)
  const restAt = authorityAt + length
  const authority = parseAuthority(value.slice(authorityAt, restAt))
  return authority === undefined ? undefined : { scheme, authority, restAt }
}

function pointsAtBackend({ scheme, authority }: HttpUrl, backend: BackendAuthority): boolean {
  const port = authority.port ?? defaultPort(scheme ?? backend.scheme)
  return authority.host === backend.host && port === backend.port
}

function pointsAtAuthority({ scheme, authority }: HttpUrl, text: string): boolean {
  const asked = parseAuthority(text)
  if (asked?.host !== authority.host) return false
  const implied = scheme === undefined ? undefined : defaultPort(scheme)
  return (authority.port ?? implied) === (asked.port ?? implied)
}

function isSlash(code: number): boolean {
  return code === SLASH || code === BACKSLASH
}
