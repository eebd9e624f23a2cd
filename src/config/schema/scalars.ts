import { z } from 'zod'
import { findNearest } from '../nearest.ts'

/** Says no to a value: what was expected, and perhaps what to do. */
export interface Refusal {
  readonly expected: string
  readonly hint: string | undefined
}

const DURATION = 'a duration such as 500ms, 30s, 5m, 1h, or a number of seconds'
const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Node fires a timer at once when its delay is over 2^31 - 1 ms. */
const MAX_DURATION_MS = 24 * 86_400_000

const PERCENTAGE = 'a percentage such as 20%'

const SIZE = 'a size such as 64kb, 10mb, 1gb, or a number of bytes'
const SIZE_UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const YES = new Set(['true', 'yes', 'on'])
const NO = new Set(['false', 'no', 'off'])

export function refuse(expected: string, hint?: string): Refusal {
  return { expected, hint }
}

/** A schema that reads what `input` lets pass by `parse`. */
export function scalar<I, O extends string | number | boolean>(input: z.ZodType<I>, parse: (value: I) => O | Refusal) {
  return input.transform((value, context): O => {
    const result = parse(value)
    if (typeof result !== 'object') return result
    context.issues.push({ code: 'custom', input: value, message: result.expected, params: { hint: result.hint } })
    return z.NEVER
  })
}

/** True or false, and the words that YAML 1.1 reads so: PyServe does. */
export function flag(expected = 'true or false') {
  return scalar(z.union([z.boolean(), z.string()], { error: expected }), (value) => {
    if (typeof value === 'boolean') return value
    const word = value.toLowerCase()
    if (YES.has(word)) return true
    return NO.has(word) ? false : refuse(expected)
  })
}

export function wholeNumber(least: number, most: number) {
  const expected = `a whole number from ${least} to ${most}`
  return z.int({ error: expected }).min(least, { error: expected }).max(most, { error: expected })
}

export function text() {
  const error = 'a text'
  return z.string({ error })
}

export function filledText() {
  const error = 'a text that is not empty'
  return z.string({ error }).trim().min(1, { error })
}

/** Milliseconds. A plain number counts seconds. */
export function duration(options: { readonly mayBeZero: boolean }) {
  const expected = options.mayBeZero ? DURATION : `${DURATION}, more than zero`
  return scalar(z.union([z.number(), z.string()], { error: expected }), (value) => {
    const durationMs = typeof value === 'number' ? value * 1000 : parseDuration(value)
    if (durationMs === undefined || durationMs < 0) return refuse(expected)
    if (durationMs === 0 && !options.mayBeZero) return refuse(expected)
    return durationMs > MAX_DURATION_MS ? refuse(`${expected}, at most 24d`) : Math.ceil(durationMs)
  })
}

/** Bytes; 1kb is 1024. */
export function size(least: string, most?: string) {
  const from = parseSize(least) ?? 0
  const until = most === undefined ? Number.MAX_SAFE_INTEGER : (parseSize(most) ?? 0)
  const expected = most === undefined ? SIZE : `${SIZE}, from ${least} to ${most}`
  return scalar(z.union([z.number(), z.string()], { error: expected }), (value) => {
    const bytes = typeof value === 'number' ? value : parseSize(value)
    return bytes !== undefined && bytes >= from && bytes <= until ? Math.floor(bytes) : refuse(expected)
  })
}

/** A share of 1. */
export function percentage() {
  return scalar(z.string({ error: PERCENTAGE }), (value) => {
    const [, amount = ''] = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(value.trim()) ?? []
    return amount === '' || Number(amount) > 100 ? refuse(`${PERCENTAGE}, at most 100%`) : Number(amount) / 100
  })
}

/** One of some words, in any case; `words` says what each stands for. */
export function word<O extends string>(words: Readonly<Record<string, O>>) {
  const names = Object.keys(words)
  const meanings = new Map(Object.entries(words).map(([name, meaning]) => [name.toLowerCase(), meaning]))
  const expected = `one of ${names.join(', ')}`
  const spellings = [...new Set([...names, ...meanings.keys()])]
  return scalar(z.string({ error: expected }).meta({ enum: spellings }), (value) => {
    const near = findNearest(value, names)
    return meanings.get(value.toLowerCase()) ?? refuse(expected, near && `did you mean "${near}"?`)
  })
}

function parseDuration(value: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)?$/.exec(value.trim().toLowerCase()) ?? []
  return amount === '' ? undefined : Number(amount) * (DURATION_UNITS[unit] ?? 1000)
}

function parseSize(value: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmg])i?)?b?$/.exec(value.trim().toLowerCase()) ?? []
  return amount === '' ? undefined : Number(amount) * (SIZE_UNITS[unit] ?? 1)
}
