import type { RedirectRule } from '../config/config.ts'
import { type ParsedTarget, parseRequestTarget, queryOf } from './request-target.ts'

/** A Location that takes the request's query along. */
export interface Redirect {
  readonly beforeQuery: string
  readonly joiner: '?' | '&' | ''
  /** With its `#`; '' where there is none. */
  readonly fragment: string
}

/** Exact paths that are answered with 302 (PyServe's `redirect_instructions`). */
export interface Redirects {
  /** The Location; undefined where the path is not redirected. */
  find(target: ParsedTarget): string | undefined
}

/** `to` is an absolute URL or a path; what cannot stand in a field value is escaped. */
export function compileRedirect(to: string): Redirect {
  const location = escapeLocation(to.trim())
  const hash = location.indexOf('#')
  const beforeQuery = hash === -1 ? location : location.slice(0, hash)
  const open = beforeQuery.endsWith('?') || beforeQuery.endsWith('&')
  const joiner = open ? '' : beforeQuery.includes('?') ? '&' : '?'
  return { beforeQuery, joiner, fragment: hash === -1 ? '' : location.slice(hash) }
}

/** The Location for this request: the query byte for byte, bytes above ASCII escaped. */
export function locate({ beforeQuery, joiner, fragment }: Redirect, target: ParsedTarget): string {
  const query = queryOf(target).slice(1)
  return query === '' ? beforeQuery + fragment : beforeQuery + joiner + escapeBytes(query) + fragment
}

/** Of two rules for one path the first stays; throws where a rule's path is no path. */
export function compileRedirects(rules: readonly RedirectRule[]): Redirects {
  const redirects = new Map<string, Redirect>()
  for (const { from, to } of rules) {
    const target = parseRequestTarget(escapeLocation(from))
    if (target.kind !== 'path') throw new Error(`redirect path ${JSON.stringify(from)} is not a path`)
    if (!redirects.has(target.matchPath)) redirects.set(target.matchPath, compileRedirect(to))
  }
  return {
    find(target) {
      if (redirects.size === 0 || target.kind !== 'path') return undefined
      const redirect = redirects.get(target.matchPath)
      return redirect === undefined ? undefined : locate(redirect, target)
    },
  }
}

function escapeLocation(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (part) => encodeURIComponent(part.toWellFormed()))
}

/** The query is a string of bytes: each stands for itself. */
function escapeBytes(query: string): string {
  return query.replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
}
