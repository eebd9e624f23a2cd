import { z } from 'zod'
import { section } from './section.ts'
import { none } from './traits.ts'

const NOT_SERVED = 'Accepted for PyServe, not served: a warning.'

export const httpSchema = section({
  static_dir: z.unknown().optional().meta(none('any', NOT_SERVED)),
  templates_dir: z.unknown().optional().meta(none('any', NOT_SERVED)),
})

export const extensionsSchema = z.unknown().optional().meta(none('any', NOT_SERVED))

export const versionSchema = z
  .literal([1, 2, '1', '2'], { error: '1 or 2' })
  .optional()
  .meta(none('1 or 2', "Version of the file's format, as PyServe has it."))
