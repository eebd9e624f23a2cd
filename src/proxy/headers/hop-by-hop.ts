import type { HeaderList } from '../../header-list.ts'

/** Fields of one connection only (RFC 9110 §7.6.1, §11.7; RFC 9113 §8.2.2), in lower case. Connection may name more. */
export const HOP_BY_HOP_FIELDS: readonly string[] = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Fields that listeners and engines answer for (RFC 9112 §6, RFC 9110 §10.1.1), in lower case. */
export const FRAMING_FIELDS: readonly string[] = ['content-length', 'expect', 'transfer-encoding']

const HOP_BY_HOP: ReadonlySet<string> = new Set(HOP_BY_HOP_FIELDS)

/** Options that name no field, or one that never crosses anyway. */
const HARMLESS_OPTIONS: ReadonlySet<string> = new Set(['', 'close', ...HOP_BY_HOP_FIELDS])

/**
 * Adds the fields that a Connection value names to `names`, in lower case; undefined while there are none. They are
 * dropped from what came in before anything of ours is added: no option can take that away.
 */
export function readConnection(value: string, names: Set<string> | undefined): Set<string> | undefined {
  if (HARMLESS_OPTIONS.has(value) || HARMLESS_OPTIONS.has(value.toLowerCase())) return names
  let found = names
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase()
    if (HARMLESS_OPTIONS.has(name)) continue
    found ??= new Set()
    found.add(name)
  }
  return found
}

/** Takes the fields with these lower-case names out of the list, from index `start` on, in place. */
export function dropNamed(headers: string[], start: number, names: ReadonlySet<string>): void {
  dropWhere(headers, start, (name) => names.has(name.toLowerCase()))
}

/** Takes the fields with such names out of the list, from index `start` on, in place. */
export function dropWhere(headers: string[], start: number, isDropped: (name: string) => boolean): void {
  let kept = start
  for (let i = start; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (isDropped(name)) continue
    headers[kept] = name
    headers[kept + 1] = headers[i + 1] ?? ''
    kept += 2
  }
  headers.length = kept
}

/** A copy for the other side, without fields of this hop and those that Connection names (RFC 9110 §7.6.1). */
export function withoutHopByHop(headers: HeaderList): string[] {
  const kept: string[] = []
  let named: Set<string> | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    const lowerName = name.toLowerCase()
    if (lowerName === 'connection') named = readConnection(value, named)
    if (!HOP_BY_HOP.has(lowerName)) kept.push(name, value)
  }
  if (named !== undefined) dropNamed(kept, 0, named)
  return kept
}
