import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configReferenceMarkdown } from '../src/config/reference.ts'
import { METRICS } from '../src/metrics/catalogue.ts'
import { REASONS } from '../src/reason.ts'

const file = fileURLToPath(new URL('../README.md', import.meta.url))

/** The README with its generated tables as the code has them now. Throws where a table's place is not marked. */
export function renderReadme(text: string): string {
  const tables = { 'configuration table': configReferenceMarkdown(), reasons: reasonTable(), metrics: metricTable() }
  return Object.entries(tables).reduce((filled, [name, table]) => fillSection(filled, name, table), text)
}

function metricTable(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const list = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${list} | ${help} |`
  })
  return ['| metric | type | labels | |', '|---|---|---|---|', ...rows].join('\n')
}

function reasonTable(): string {
  const rows = Object.entries(REASONS).map(
    ([reason, { status, detail }]) => `| \`${reason}\` | ${status} | ${detail} |`,
  )
  return ['| reason | status | |', '|---|---|---|', ...rows].join('\n')
}

/** Replaces what stands between the marks of a section. Throws where it is not marked. */
export function fillSection(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`README.md has no place for ${name}`)
  return `${text.slice(0, from)}${begin}\n${table.trim()}\n${text.slice(to)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, renderReadme(readFileSync(file, 'utf8')))
