/** What a header value of a route may stand for; of the request, as the client made it. */
export const HEADER_VARIABLES = [
  'client_ip',
  'host',
  'method',
  'path',
  'query',
  'request_id',
  'route',
  'scheme',
] as const

export type HeaderVariable = (typeof HEADER_VARIABLES)[number]

export type TemplatePart = string | { readonly variable: HeaderVariable }

const REFERENCE = /\{\{([a-z_]+)\}\}|\{([a-z_]+)\}/g

/** The names in braces that are no variables. */
export function listUnknownVariables(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, , name]) => (name === undefined || isVariable(name) ? [] : [name]))
}

/**
 * The parts of a value with variables: `{name}` is one, `{{name}}` stands for itself without the outer braces. Undefined
 * where the value is the same for all.
 */
export function parseTemplate(text: string): TemplatePart[] | undefined {
  const parts: TemplatePart[] = []
  let from = 0
  let isPlain = true
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, escaped, name] = match
    parts.push(text.slice(from, match.index))
    from = match.index + whole.length
    isPlain = false
    if (escaped !== undefined) parts.push(`{${escaped}}`)
    else if (name !== undefined) parts.push(isVariable(name) ? { variable: name } : whole)
  }
  parts.push(text.slice(from))
  return isPlain ? undefined : parts.filter((part) => part !== '')
}

function isVariable(name: string): name is HeaderVariable {
  return (HEADER_VARIABLES as readonly string[]).includes(name)
}
