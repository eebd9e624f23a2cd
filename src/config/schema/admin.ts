import type { z } from 'zod'
import { host } from './names.ts'
import { wholeNumber } from './scalars.ts'
import { section } from './section.ts'
import { swap } from './traits.ts'

export const adminSchema = section({
  host: host().prefault('127.0.0.1').meta(swap('host', 'Address for metrics, health and status.')),
  port: wholeNumber(0, 65_535).prefault(0).meta(swap('port', 'Its port; 0 is off.')),
})

export type AdminSettings = z.output<typeof adminSchema>
