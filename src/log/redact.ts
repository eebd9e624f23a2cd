const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'keypem',
  'password',
  'proxy-authorization',
  'secret',
  'set-cookie',
  'stickysecret',
  'ticketkeys',
])
const REDACTED = '[redacted]'
const MAX_DEPTH = 8

/**
 * A copy of plain objects and arrays in which the values of secret names are replaced; in flat header lists
 * (name, value, …) likewise. What is not plain data, such as an Error, is left as it is.
 */
export function redactSecrets(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return value
  if (Array.isArray(value)) {
    return value.map((item, index) => (isSecret(value[index - 1]) ? REDACTED : redactSecrets(item, depth + 1)))
  }
  if (!isPlainObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name) ? REDACTED : redactSecrets(item, depth + 1)]),
  )
}

function isSecret(name: unknown): boolean {
  return typeof name === 'string' && SECRET_NAMES.has(name.toLowerCase())
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
