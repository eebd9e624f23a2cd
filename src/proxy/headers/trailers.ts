import type { HeaderList } from '../../header-list.ts'
import { compileFieldTable, findField } from './field-table.ts'
import { FRAMING_FIELDS, HOP_BY_HOP_FIELDS } from './hop-by-hop.ts'

/** RFC 9110 §6.5.1: fields that a recipient must know before the content, or must never merge from behind it. */
const REFUSED = compileFieldTable(
  new Map(
    [
      ...HOP_BY_HOP_FIELDS,
      ...FRAMING_FIELDS,
      'age',
      'authorization',
      'cache-control',
      'content-encoding',
      'content-range',
      'content-type',
      'cookie',
      'date',
      'expires',
      'host',
      'location',
      'max-forwards',
      'retry-after',
      'set-cookie',
      'vary',
      'www-authenticate',
    ].map((name) => [name, 'refused'] as const),
  ),
)

/** The trailers that may cross, in wire order. */
export function filterTrailers(trailers: HeaderList): HeaderList {
  if (trailers.length === 0) return trailers
  const kept: string[] = []
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] ?? ''
    if (findField(REFUSED, name) === undefined) kept.push(name, trailers[i + 1] ?? '')
  }
  return kept
}
