import { z } from 'zod'
import { fileSchema } from './schema/file.ts'

/** What may stand in a file, as JSON Schema 2020-12: for editors, and `check --schema`. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema['kind'] === 'refused') jsonSchema.not = {}
      for (const key of ['change', 'kind', 'usual']) delete jsonSchema[key]
    },
  })
  return { ...schema, title: 'pyserve-ts configuration' }
}
