import { adminSchema } from './admin.ts'
import { extensionsSchema, httpSchema, versionSchema } from './legacy.ts'
import { loggingSchema } from './logging.ts'
import { map } from './section.ts'
import { serverSchema } from './server.ts'
import { sslSchema } from './ssl.ts'

/** The whole file: the one source of types, defaults, checks, JSON Schema and the reference table. */
export const fileSchema = map({
  version: versionSchema,
  server: serverSchema,
  ssl: sslSchema,
  logging: loggingSchema,
  admin: adminSchema,
  http: httpSchema,
  extensions: extensionsSchema,
})
