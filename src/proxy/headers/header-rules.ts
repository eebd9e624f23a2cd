import type { HeaderRules } from '../../config/config.ts'
import { parseTemplate, type TemplatePart } from '../../header-template.ts'
import { FRAMING_FIELDS, HOP_BY_HOP_FIELDS } from './hop-by-hop.ts'

/** A route's own changes to a header, made last. */
export interface CompiledHeaderRules {
  /** Name, value, name, value, … to add to every message. */
  readonly set: readonly string[]
  /** To add with what they stand for in each exchange. */
  readonly templates: readonly HeaderTemplate[]
  /** Lower-case names of every field that a rule sets or removes. */
  readonly names: ReadonlySet<string>
}

export interface HeaderTemplate {
  readonly name: string
  readonly parts: readonly TemplatePart[]
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
const PROTECTED: ReadonlySet<string> = new Set([...HOP_BY_HOP_FIELDS, ...FRAMING_FIELDS])

/** True for fields that no route may set or remove: they are the connection's, or tell where a message ends. */
export function isProtectedField(lowerName: string): boolean {
  return PROTECTED.has(lowerName)
}

/**
 * Rules for protected fields have no effect. Control bytes in a value become spaces, text beyond ASCII becomes UTF-8.
 * Throws where a name is no token (RFC 9110 §5.1).
 */
export function compileHeaderRules(rules: HeaderRules): CompiledHeaderRules {
  const set = rules.set.filter(([name]) => !isProtectedField(name.toLowerCase()))
  const removed = rules.remove.map((name) => name.toLowerCase()).filter((name) => !isProtectedField(name))
  const invalid = [...set.map(([name]) => name), ...removed].find((name) => !TOKEN.test(name))
  if (invalid !== undefined) throw new Error(`header rule has the invalid field name ${JSON.stringify(invalid)}`)
  const values = set.map(([name, text]) => ({ name, value: toFieldValue(text) }))
  return {
    set: values.flatMap(({ name, value }) => (parseTemplate(value) === undefined ? [name, value] : [])),
    templates: values.flatMap(({ name, value }) => {
      const parts = parseTemplate(value)
      return parts === undefined ? [] : [{ name, parts }]
    }),
    names: new Set([...set.map(([name]) => name.toLowerCase()), ...removed]),
  }
}

/** Latin-1 is how Node writes a header: one character a byte. */
function toFieldValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through
  const printable = text.replace(/[\x00-\x1f\x7f]+/g, ' ').trim()
  return Buffer.from(printable, 'utf8').toString('latin1')
}
