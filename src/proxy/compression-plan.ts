import type { CompressionConfig } from '../config/compression-config.ts'
import type { RequestHead, ResponseHead } from '../exchange.ts'
import { hasToken, headerValues } from '../header-list.ts'
import { type Coding, chooseCoding } from './accept-encoding.ts'
import { compileFieldTable, findField } from './headers/field-table.ts'

/** Compiled once per route. */
export interface CompressionPlan {
  readonly codings: readonly Coding[]
  readonly isCompressible: (mediaType: string) => boolean
  readonly minBytes: number
  /** Undefined: what suits each coding. */
  readonly level: number | undefined
}

/** What becomes of one response. */
export interface PlannedHead {
  readonly head: ResponseHead
  /** Undefined where the body goes as it is. */
  readonly coding: Coding | undefined
  /** Each chunk is for the client at once (server-sent events). */
  readonly isLive: boolean
}

type Field = 'length' | 'type' | 'fixed' | 'cache' | 'etag' | 'ranges' | 'vary'

/** What the choice depends on. */
interface HeadFacts {
  /** In lower case, without parameters; '' where none is told. */
  readonly mediaType: string
  /** Undefined where none is announced. */
  readonly lengthBytes: number | undefined
  /** It is encoded already, is a part, carries a digest of what it is now, or says that nobody may change it. */
  readonly isFixed: boolean
  readonly etag: string | undefined
  /** Vary says so already. */
  readonly isVarying: boolean
}

const FIELDS = compileFieldTable<Field>(
  new Map<string, Field>([
    ['content-length', 'length'],
    ['content-type', 'type'],
    ['content-encoding', 'fixed'],
    ['content-range', 'fixed'],
    // RFC 9530 §2, §3 and their forerunners: they would be wrong.
    ['content-digest', 'fixed'],
    ['repr-digest', 'fixed'],
    ['digest', 'fixed'],
    ['content-md5', 'fixed'],
    ['cache-control', 'cache'],
    ['etag', 'etag'],
    ['accept-ranges', 'ranges'],
    ['vary', 'vary'],
  ]),
)

const VARY = ['Vary', 'Accept-Encoding']

export function compileCompression({ algorithms, types, minBytes, level }: CompressionConfig): CompressionPlan {
  const exact = new Set(types)
  const isAny = exact.has('*/*')
  const suffixes = types.filter((type) => type.startsWith('+'))
  return {
    codings: algorithms,
    isCompressible: (type) =>
      isAny ||
      exact.has(type) ||
      exact.has(`${type.slice(0, type.indexOf('/') + 1)}*`) ||
      suffixes.some((suffix) => type.endsWith(suffix)),
    minBytes,
    level,
  }
}

/** Chooses a coding for a response, and makes its head say so. */
export function planHead(plan: CompressionPlan, request: RequestHead, head: ResponseHead): PlannedHead {
  const facts = readHead(head)
  if (head.status === 304) return { head: matchHeldCopy(head, facts, request), coding: undefined, isLive: false }
  if (!mayCompress(plan, request, head, facts)) return { head, coding: undefined, isLive: false }
  const accept = headerValues(request.headers, 'accept-encoding')
  const coding = chooseCoding(accept, plan.codings)
  const vary = facts.isVarying ? [] : VARY
  const isHead = request.method === 'HEAD'
  if (coding === undefined) return { head: withHeaders(head, [...head.headers, ...vary]), coding, isLive: false }
  // RFC 9110 §8.6: the length would be another one, had it been a GET.
  const headers = isHead ? withoutLength(head.headers) : encodedFields(head.headers, coding)
  return {
    head: withHeaders(head, [...headers, ...vary]),
    coding: isHead ? undefined : coding,
    isLive: facts.mediaType === 'text/event-stream',
  }
}

/** Whether it would be compressed for a client that wants it so. */
function mayCompress(plan: CompressionPlan, request: RequestHead, { status }: ResponseHead, facts: HeadFacts): boolean {
  const { lengthBytes, mediaType, isFixed } = facts
  if (status < 200 || status === 204 || status === 205 || status === 206 || isFixed) return false
  if (lengthBytes === 0 || (lengthBytes !== undefined && lengthBytes < plan.minBytes)) return false
  if (mediaType === '' || !plan.isCompressible(mediaType)) return false
  // RFC 9111 §5.2.1.6: a client may forbid it too.
  return !headerValues(request.headers, 'cache-control').some((value) => hasToken(value, 'no-transform'))
}

function readHead({ headers }: ResponseHead): HeadFacts {
  let mediaType = ''
  let lengthBytes: number | undefined
  let isFixed = false
  let etag: string | undefined
  let isVarying = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1] ?? ''
    switch (findField(FIELDS, headers[i] ?? '')) {
      case 'type':
        mediaType = readMediaType(value)
        break
      case 'length':
        lengthBytes = Number(value)
        break
      case 'fixed':
        isFixed = true
        break
      case 'cache':
        isFixed ||= hasToken(value, 'no-transform')
        break
      case 'etag':
        etag = value
        break
      case 'vary':
        isVarying ||= hasToken(value, 'accept-encoding') || hasToken(value, '*')
        break
    }
  }
  return { mediaType, lengthBytes, isFixed, etag, isVarying }
}

function readMediaType(value: string): string {
  const end = value.indexOf(';')
  return (end === -1 ? value : value.slice(0, end)).trim().toLowerCase()
}

/**
 * A client that holds the compressed form knows it by the weak form of the tag: it updates what it holds only where the tag
 * of a 304 is that one (RFC 9111 §4.3.4).
 */
function matchHeldCopy(head: ResponseHead, { etag, isVarying }: HeadFacts, request: RequestHead): ResponseHead {
  if (etag === undefined || !etag.startsWith('"')) return head
  const held = headerValues(request.headers, 'if-none-match')
  if (!held.some((value) => value.includes(`W/${etag}`))) return head
  const headers = head.headers.map((value, i) => (isTagAt(head.headers, i) ? weaken(value) : value))
  return withHeaders(head, isVarying ? headers : [...headers, ...VARY])
}

function isTagAt(headers: readonly string[], valueAt: number): boolean {
  return valueAt % 2 === 1 && findField(FIELDS, headers[valueAt - 1] ?? '') === 'etag'
}

function encodedFields(headers: readonly string[], coding: Coding): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    const field = findField(FIELDS, name)
    // Bytes at a place of the compressed form are nothing that can be asked for.
    if (field === 'length' || field === 'ranges') continue
    out.push(name, field === 'etag' ? weaken(value) : value)
  }
  out.push('Content-Encoding', coding)
  return out
}

/** RFC 9110 §8.8.1: the same content, but not the same bytes. */
function weaken(etag: string): string {
  return etag.startsWith('"') ? `W/${etag}` : etag
}

function withoutLength(headers: readonly string[]): string[] {
  return headers.filter((_, i) => findField(FIELDS, headers[i - (i % 2)] ?? '') !== 'length')
}

function withHeaders({ status, statusText }: ResponseHead, headers: readonly string[]): ResponseHead {
  return { status, statusText, headers }
}
