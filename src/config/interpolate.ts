import { findNearest } from './nearest.ts'

export type Interpolation =
  | {
      readonly ok: true
      readonly text: string
      /** The text was one reference and nothing else. */
      readonly whole: boolean
      readonly variables: readonly string[]
    }
  | { readonly ok: false; readonly message: string; readonly expected?: string; readonly hint?: string }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Replaces `${NAME}` and `${NAME:-default}` (for unset or empty) once: what comes in is not read again. `$$` is a dollar. */
export function interpolate(text: string, env: NodeJS.ProcessEnv): Interpolation {
  const variables: string[] = []
  let result = ''
  let from = 0
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', from)) {
    result += text.slice(from, dollar)
    const next = text[dollar + 1]
    if (next !== '{') {
      result += '$'
      from = dollar + (next === '$' ? 2 : 1)
      continue
    }
    const end = text.indexOf('}', dollar)
    if (end === -1) return refuse('a reference begins with ${ and does not end', 'a closing }')
    const reference = parseReference(text.slice(dollar + 2, end))
    if (reference === undefined) {
      return refuse(`invalid reference \${${text.slice(dollar + 2, end)}}`, `\${NAME} or \${NAME:-default}`)
    }
    const value = env[reference.name] ?? ''
    if (env[reference.name] === undefined && reference.fallback === undefined) return refuseUnset(reference.name, env)
    result += value === '' ? (reference.fallback ?? '') : value
    variables.push(reference.name)
    from = end + 1
  }
  const whole = variables.length === 1 && text.startsWith('${') && text.indexOf('}') === text.length - 1
  return { ok: true, text: result + text.slice(from), whole, variables }
}

function parseReference(text: string): { readonly name: string; readonly fallback: string | undefined } | undefined {
  const separator = text.indexOf(':-')
  const name = separator === -1 ? text : text.slice(0, separator)
  const fallback = separator === -1 ? undefined : text.slice(separator + 2)
  if (!NAME.test(name) || fallback?.includes('${')) return undefined
  return { name, fallback }
}

function refuseUnset(name: string, env: NodeJS.ProcessEnv): Interpolation {
  const near = findNearest(name, Object.keys(env))
  return {
    ok: false,
    message: `the environment variable ${name} is not set`,
    expected: `a value for it, or a default: \${${name}:-default}`,
    ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
  }
}

function refuse(message: string, expected: string): Interpolation {
  return { ok: false, message, expected, hint: 'write $$ for a dollar sign that stands for itself' }
}
