import { fileSchema } from './schema/file.ts'
import { listKeys, type SchemaKey } from './schema/walk.ts'

const HEAD = ['Key', 'Type', 'Default', 'A change needs', 'Meaning']

/** Every key of the file as a table, one line each. */
export function configReferenceMarkdown(): string {
  const rows = listKeys(fileSchema).map(describeKey)
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function describeKey(key: SchemaKey): string[] {
  const { kind, change, description } = key.traits
  return [`\`${key.name}\``, kind, describeDefault(key), change, description].map((cell) => cell.replaceAll('|', '\\|'))
}

function describeDefault({ traits, defaultValue }: SchemaKey): string {
  if (traits.usual !== undefined) return traits.usual
  if (defaultValue === undefined) return '–'
  if (Array.isArray(defaultValue) && defaultValue.length > 0) return `\`[${defaultValue.join(', ')}]\``
  if (typeof defaultValue === 'object' || defaultValue === '') return 'empty'
  return `\`${String(defaultValue)}\``
}
