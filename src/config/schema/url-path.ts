import { z } from 'zod'
import { type Refusal, refuse, scalar } from './scalars.ts'

const PATH = 'a path that starts with a slash'
const SERVICE_URL = 'an http(s) URL such as http://127.0.0.1:9000/verify'
const TARGET = 'a path that starts with a slash, or an http(s) URL'

/** A prefix of paths: no trailing slash unless it is the root; what is not ASCII is escaped, escapes are in upper case. */
export function routePath() {
  return scalar(z.string({ error: PATH }), prefixPath)
}

/** As `routePath`. */
export function prefixPath(value: string): string | Refusal {
  const refusal = refusePath(value, { mayEndWithStar: false })
  return refusal ?? (normalizePath(value).replace(/\/$/, '') || '/')
}

/** An exact path, where a trailing slash counts. */
export function exactPath(value: string): string | Refusal {
  return refusePath(value, { mayEndWithStar: true }) ?? normalizePath(value)
}

/** What is asked for: a path, perhaps with a query. */
export function requestPath() {
  return scalar(z.string({ error: PATH }), (value) => {
    const path = escapeNonAscii(value)
    if (!path.startsWith('/')) return refuse(PATH, hintForSlash(value))
    return /^[!-"$-~]+$/.test(path) ? path : refuse('a path without spaces and #', 'write a space as %20')
  })
}

/** A Location: what is not ASCII is escaped. */
export function redirectTarget() {
  return scalar(z.string({ error: TARGET }), (value) => {
    const target = escapeNonAscii(value.trim())
    if (!/^[\x21-\x7e]+$/.test(target)) return refuse(TARGET, 'write a space as %20')
    return /^(?:\/|https?:\/\/[^/?#])/i.test(target) ? target : refuse(TARGET, hintForSlash(value))
  })
}

/** Where another service is asked: its URL in the form that `URL` gives it, without name, password and fragment. */
export function serviceUrl() {
  return scalar(z.string({ error: SERVICE_URL }), (value) => {
    const url = URL.parse(value)
    if (url === null || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(value)) return refuse(SERVICE_URL)
    if (url.username !== '' || url.password !== '') return refuse('a URL without name and password')
    return url.hash === '' && !value.endsWith('#') ? url.href : refuse('a URL without a fragment')
  })
}

function refusePath(value: string, { mayEndWithStar }: { readonly mayEndWithStar: boolean }): Refusal | undefined {
  if (!value.startsWith('/')) return refuse(PATH, hintForSlash(value))
  if (/[?#]/.test(value)) return refuse('a path without ? and #')
  if (/[\s\p{Cc}\\]/u.test(value)) return refuse('a path without spaces and backslashes', 'write a space as %20')
  if (/%(?![\da-f]{2})/i.test(value)) return refuse('escapes of two hexadecimal digits', 'write a percent sign as %25')
  if (/%(?:00|5c|[01][\da-f]|7f)/i.test(value))
    return refuse('a path without escaped control characters and backslashes')
  if (value.includes('//')) return refuse('a path without doubled slashes')
  if (!mayEndWithStar && value.endsWith('/*'))
    return refuse('a prefix', `leave the star out: "${value.slice(0, -2) || '/'}"`)
  // An escaped slash and a semicolon end a segment for some backends: to them the path would mean another.
  const segments = value.replaceAll(/%2e/gi, '.').split(/\/|;|%2f/i)
  const hasDots = segments.some((segment) => segment === '.' || segment === '..')
  return hasDots ? refuse('a path without "." and ".." segments') : undefined
}

function hintForSlash(value: string): string | undefined {
  return /^[\w.-]+(?:\/[^\s]*)?$/.test(value) ? `did you mean "/${value}"?` : undefined
}

function normalizePath(value: string): string {
  return escapeNonAscii(value).replaceAll(/%[\da-f]{2}/gi, (byte) => byte.toUpperCase())
}

function escapeNonAscii(value: string): string {
  return value.replace(/[^\0-\x7f]+/g, (part) => encodeURIComponent(part.toWellFormed()))
}
