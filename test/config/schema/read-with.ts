import type { z } from 'zod'

/** What a schema makes of a value, or what it expected instead. */
export function readWith(schema: z.ZodType, value: unknown): unknown {
  const { data, error } = schema.safeParse(value)
  return error === undefined ? data : { expected: error.issues[0]?.message }
}

export function isRefused(schema: z.ZodType, value: unknown): boolean {
  return !schema.safeParse(value).success
}
