import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { configReferenceMarkdown } from '../../src/config/reference.ts'

const rows = configReferenceMarkdown()
  .trimEnd()
  .split('\n')
  .map((line) => line.slice(2, -2).split(' | '))
const keys = rows.slice(2).map(([cell = '']) => cell.replaceAll('`', ''))

/** The dotted names of all keys that have no keys in them, as JSON Schema knows them. */
function listLeaves(schema: unknown, name: string): string[] {
  const {
    properties,
    items,
    anyOf = [],
  } = (schema ?? {}) as { properties?: object; items?: unknown; anyOf?: unknown[] }
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([key, child]) => listLeaves(child, name === '' ? key : `${name}.${key}`))
  }
  const inItems = items === undefined ? [] : listLeaves(items, `${name}[]`).filter((leaf) => leaf !== `${name}[]`)
  const inOptions = anyOf.flatMap((option) => listLeaves(option, name)).filter((leaf) => leaf !== name)
  return [...new Set([name, ...inItems, ...inOptions])]
}

test('the table has every key of the schema', () => {
  const leaves = listLeaves(configJsonSchema(), '')
  assert.ok(leaves.length > 50)
  // A map that may also be a list of maps stands in it once.
  const has = (leaf: string) => keys.includes(leaf) || keys.includes(leaf.replace(/\.([^.]+)$/, '[].$1'))
  assert.deepEqual(
    leaves.filter((leaf) => !has(leaf) && !leaf.endsWith('[]')),
    [],
  )
})

test('no key stands in it twice', () => assert.equal(new Set(keys).size, keys.length))

test('every row has a cell for each column, with something in it', () => {
  for (const row of rows) {
    assert.equal(row.length, 5)
    assert.ok(row.every((cell) => cell.trim() !== ''))
  }
})

for (const row of [
  '| `server.port` | port | `8000` | roll | Port to listen on; 0 is any free one. |',
  '| `server.workers` | number or auto | `auto` | scale | Worker processes; auto is one for each available core. |',
  "| `server.reverse_proxy[].port` | port | 80, or 443 with ssl | swap | The backend's port. |",
  '| `ssl.certificates[].key_file` | file | – | roll | Its key. |',
]) {
  test(`it has the row ${row.slice(2, 40)}`, () => assert.ok(configReferenceMarkdown().split('\n').includes(row)))
}
