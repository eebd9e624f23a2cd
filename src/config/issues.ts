import type { z } from 'zod'
import { formatKeyPath, isMapValue, type KeyPath, valueAt } from './key-path.ts'
import { findNearest } from './nearest.ts'
import type { Report } from './report.ts'
import { fileSchema } from './schema/file.ts'
import { knownKeys, listKeys } from './schema/walk.ts'

type Issue = z.core.$ZodIssue

/** A fault of one key, whatever branches of the schema were tried. */
export type KeyIssue =
  | { readonly kind: 'unknown'; readonly path: KeyPath; readonly key: string }
  | {
      readonly kind: 'value'
      readonly path: KeyPath
      readonly expected: string
      readonly hint: string | undefined
      /** The values that would do, where they are few. */
      readonly choices: readonly string[]
    }

const LONGEST_SHOWN = 60

export function flattenIssues(issues: readonly Issue[], base: KeyPath = []): KeyIssue[] {
  return issues.flatMap((issue) => flattenIssue(issue, [...base, ...(issue.path as KeyPath)]))
}

/** `root` is the plain value of the whole file. */
export function reportIssue(issue: KeyIssue, root: unknown, report: Report): void {
  if (issue.kind === 'unknown') reportUnknownKey(issue.path, issue.key, report)
  else reportValue(issue, root, report)
}

/** A value as a message shows it. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return '[…]'
  if (isMapValue(value)) return '{…}'
  if (typeof value !== 'string') return String(value)
  const characters = [...value]
  const isLong = characters.length > LONGEST_SHOWN
  return JSON.stringify(isLong ? `${characters.slice(0, LONGEST_SHOWN).join('')}…` : value)
}

function flattenIssue(issue: Issue, path: KeyPath): KeyIssue[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ kind: 'unknown', path, key }))
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((branch) => !branch.some(isOtherKind))
    if (meant !== undefined && meant.length > 0) return flattenIssues(meant, path)
  }
  const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined
  return [
    {
      kind: 'value',
      path,
      expected: issue.message,
      hint: typeof hint === 'string' ? hint : undefined,
      choices: listChoices(issue),
    },
  ]
}

/** The value is not even of the kind that this branch of a union is about. */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'invalid_union') return issue.errors.every((branch) => branch.some(isOtherKind))
  return issue.code === 'invalid_type' || issue.code === 'invalid_value'
}

function listChoices(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(listChoices) : []
}

function reportUnknownKey(path: KeyPath, key: string, report: Report): void {
  const where = path.length === 0 ? '' : ` in ${formatKeyPath(path)}`
  const near = findNearest(key, knownKeys(fileSchema, path)) ?? findElsewhere(key)
  report.error([...path, key], `unknown key ${showValue(key)}${where}`, {
    at: 'key',
    hint: near && `did you mean "${near}"?`,
  })
}

/** The one place in the file where a key of that name belongs. */
function findElsewhere(key: string): string | undefined {
  const homes = listKeys(fileSchema).filter(({ name }) => name.endsWith(`.${key}`) && !/[[<]/.test(name))
  return homes.length === 1 ? homes[0]?.name : undefined
}

function reportValue(
  { path, expected, hint, choices }: KeyIssue & { kind: 'value' },
  root: unknown,
  report: Report,
): void {
  const value = valueAt(root, path)
  const name = formatKeyPath(path) || 'the file'
  if (value === undefined) report.error(path, `${name} is missing`, { expected, hint })
  else if (value === null) {
    const omit = typeof path.at(-1) === 'string' ? 'leave the key out for its default' : undefined
    report.error(path, `${name} has no value`, { expected, hint: omit })
  } else {
    const near = typeof value === 'string' ? findNearest(value, choices) : undefined
    const message = `invalid value ${showValue(value)} for ${name}`
    report.error(path, message, { expected, hint: hint ?? (near && `did you mean "${near}"?`) })
  }
}
