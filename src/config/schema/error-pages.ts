import { z } from 'zod'
import { filledText } from './scalars.ts'
import { dictionary } from './section.ts'
import { swap } from './traits.ts'

const FILES = 'a file, or a list of files'

const files = z.union([filledText(), z.array(filledText()).min(1, { error: FILES })], { error: FILES })

export const errorPagesSchema = dictionary(files).meta(
  swap('map of errors to files', 'Pages in place of the built-in ones, by reason, status or class such as `5xx`.'),
)

export type ErrorPagesSettings = z.output<typeof errorPagesSchema>
