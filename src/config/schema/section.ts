import { z } from 'zod'

const MAP = 'a map of settings'
const LIST = 'a list'

/** A map that knows its keys; nothing at all means an empty one, so that every key has its default. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.preprocess((value) => value ?? {}, map(shape)).prefault({})
}

/** A map that knows its keys. */
export function map<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, { error: MAP })
}

/** A list; nothing at all means an empty one. */
export function list<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => value ?? [], z.array(item, { error: LIST })).prefault([])
}

/** A list with something in it; nothing at all means what is usual. */
export function filledList<T extends z.ZodType>(item: T, usual: z.input<T>[]) {
  const error = 'a list with at least one entry'
  return z.preprocess((value) => value ?? usual, z.array(item, { error }).min(1, { error })).prefault(usual)
}

/** A map of any keys; nothing at all means an empty one. */
export function dictionary<T extends z.ZodType>(value: T) {
  return z.preprocess((input) => input ?? {}, z.record(z.string(), value, { error: MAP })).prefault({})
}
