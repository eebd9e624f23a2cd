/**
 * Field names and values as they stood on the wire: name, value, name, value, … with their order, case and
 * duplicates. Names are compared without regard to case (RFC 9110 §5.1).
 */
export type HeaderList = readonly string[]

export const NO_HEADERS: HeaderList = []

/** The first value of the field, or undefined. `lowerName` is in lower case. */
export function findHeader(headers: HeaderList, lowerName: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i], lowerName)) return headers[i + 1]
  }
  return undefined
}

/** Every value of the field in wire order. `lowerName` is in lower case. */
export function headerValues(headers: HeaderList, lowerName: string): string[] {
  const values: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i], lowerName)) values.push(headers[i + 1] ?? '')
  }
  return values
}

/** A copy without any field of that name. `lowerName` is in lower case. */
export function withoutHeader(headers: HeaderList, lowerName: string): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i], lowerName)) kept.push(headers[i] ?? '', headers[i + 1] ?? '')
  }
  return kept
}

/** True where a comma-separated list value (RFC 9110 §5.6.1) has the token, without regard to case. */
export function hasToken(value: string | undefined, lowerToken: string): boolean {
  if (value === undefined || value.length < lowerToken.length) return false
  if (value.length === lowerToken.length) return value.toLowerCase() === lowerToken
  if (!value.includes(',')) return value.trim().toLowerCase() === lowerToken
  return value.split(',').some((token) => token.trim().toLowerCase() === lowerToken)
}

function isNamed(name: string | undefined, lowerName: string): boolean {
  return name !== undefined && name.length === lowerName.length && name.toLowerCase() === lowerName
}
