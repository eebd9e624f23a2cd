import { z } from 'zod'
import type { KeyPath } from '../key-path.ts'
import type { KeyTraits } from './traits.ts'

/** One key of the file. */
export interface SchemaKey {
  /** Dotted; `[]` stands for the items of a list, `<name>` for any key. */
  readonly name: string
  readonly traits: KeyTraits
  /** As it is written in a file; undefined where there is none, or it is not one value. */
  readonly defaultValue: unknown
}

/** Every key that has traits of its own, in the order of the schema. */
export function listKeys(schema: z.core.$ZodType, prefix = ''): SchemaKey[] {
  return Object.entries(findShape(schema) ?? {}).flatMap(([key, child]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    const traits = traitsOf(child)
    const own = traits === undefined ? [] : [{ name, traits, defaultValue: findDefault(child) }]
    const item = findItem(child)
    const entry = findEntry(child)
    if (entry !== undefined) return [...own, ...listKeys(entry, `${name}.<name>`)]
    return [...own, ...(item === undefined ? listKeys(child, name) : listKeys(item, `${name}[]`))]
  })
}

/** The keys that the map at that path knows; empty where it is none, or takes any key. */
export function knownKeys(schema: z.core.$ZodType, path: KeyPath): string[] {
  const [step, ...rest] = path
  if (step === undefined) return Object.keys(findShape(schema) ?? {})
  const child = typeof step === 'number' ? findItem(schema) : (findShape(schema)?.[step] ?? findEntry(schema))
  return child === undefined ? [] : knownKeys(child, rest)
}

function traitsOf(schema: z.core.$ZodType): KeyTraits | undefined {
  const meta = z.globalRegistry.get(schema)
  return meta?.['change'] === undefined ? undefined : (meta as unknown as KeyTraits)
}

function findShape(schema: z.core.$ZodType): z.core.$ZodShape | undefined {
  return optionsOf(schema).find((option) => option instanceof z.ZodObject)?.shape
}

function findItem(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return optionsOf(schema).find((option) => option instanceof z.ZodArray)?.element
}

/** What stands under any key. */
function findEntry(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return optionsOf(schema).find((option) => option instanceof z.ZodRecord)?.valueType
}

function optionsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const inner = peel(schema)
  return inner instanceof z.ZodUnion ? inner.options.flatMap(optionsOf) : [inner]
}

/** The schema under what makes it optional, and before what is made of its value. */
function peel(schema: z.core.$ZodType): z.core.$ZodType {
  if (isWrapper(schema)) return peel(schema.unwrap())
  if (schema instanceof z.ZodPipe) return peel(schema.in instanceof z.ZodTransform ? schema.out : schema.in)
  return schema
}

function findDefault(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodPrefault) return schema.def.defaultValue
  return isWrapper(schema) ? findDefault(schema.unwrap()) : undefined
}

function isWrapper(schema: z.core.$ZodType) {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable
}
