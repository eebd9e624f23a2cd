import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'

type Schema = Record<string, unknown>

const schema = configJsonSchema() as Schema

/** Every schema within, with its place. */
function listSchemas(value: unknown, path = '#'): [string, Schema][] {
  if (typeof value !== 'object' || value === null) return []
  const nested = Object.entries(value).flatMap(([key, item]) => listSchemas(item, `${path}/${key}`))
  return Array.isArray(value) ? nested : [[path, value as Schema], ...nested]
}

test('it says which draft it is written in', () => {
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema')
  assert.equal(schema['title'], 'pyserve-ts configuration')
})

test('every map of known keys is closed', () => {
  const maps = listSchemas(schema).filter(([, { properties }]) => properties !== undefined)
  assert.ok(maps.length > 10)
  assert.deepEqual(
    maps.filter(([, { additionalProperties }]) => additionalProperties !== false).map(([path]) => path),
    [],
  )
})

test('a key is required only where it has no default', () => {
  const required = listSchemas(schema).filter(([, one]) => Array.isArray(one['required']))
  assert.deepEqual(
    [...new Map(required.map(([path, one]) => [path.split('/').slice(-2).join('/'), one['required']]))],
    [
      ['properties/redis', ['url']],
      ['locations/additionalProperties', ['auth']],
      ['properties/auth', ['type', 'username', 'password']],
      ['upstreams/additionalProperties', ['backends']],
      ['properties/sticky', ['cookie']],
      ['properties/split', ['to']],
      ['to/items', ['upstream']],
      ['anyOf/0', ['requests']],
      ['1/items', ['requests']],
      ['properties/mirror', ['upstream']],
      ['properties/basic', ['users']],
      ['properties/forward', ['url']],
      ['properties/cors', ['origins']],
      ['properties/redirect', ['to']],
      ['certificates/items', ['cert_file', 'key_file']],
    ],
  )
})

test('it is plain JSON, with defaults as a file has them and descriptions for an editor', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema)
  const find = (end: string) => listSchemas(schema).find(([path]) => path.endsWith(end))?.[1]
  assert.deepEqual(find('timeouts/properties/drain'), {
    description: 'Patience for open requests when a worker ends.',
    default: '30s',
    type: ['number', 'string'],
  })
  assert.deepEqual(find('properties/port'), {
    description: 'Port to listen on; 0 is any free one.',
    default: 8000,
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
  })
})

test('it has words of its own only where JSON Schema has none for them', () => {
  const own = listSchemas(schema).filter(([, one]) =>
    ['change', 'kind', 'usual'].some((key) => Object.hasOwn(one, key)),
  )
  assert.deepEqual(own, [])
})
