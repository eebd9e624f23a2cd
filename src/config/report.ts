import type { Problem } from '../problem.ts'
import { type KeyPath, startsWithPath } from './key-path.ts'
import type { Overlay } from './overrides.ts'
import type { YamlSource } from './yaml-source.ts'

export interface ProblemDetail {
  readonly expected?: string | undefined
  readonly hint?: string | undefined
  /** What the caret points to; the value where it is left out. */
  readonly at?: 'key' | 'value' | undefined
}

/** Gathers the problems of one load; each finds its own place. */
export interface Report {
  error(path: KeyPath, message: string, detail?: ProblemDetail): void
  warning(path: KeyPath, message: string, detail?: ProblemDetail): void
  note(path: KeyPath, message: string, detail?: ProblemDetail): void
  add(problem: Problem): void
  /** `line 4`, or the variable or flag that the value came by. */
  describePlace(path: KeyPath): string
  hasErrors(): boolean
  /** In the order of the file; those of other origin first. */
  list(): readonly Problem[]
}

type Place = Pick<Problem, 'file' | 'line' | 'column' | 'sourceLine'>

/** `file` is how problems name the file. */
export function createReport(file: string, source: YamlSource, overlays: readonly Overlay[]): Report {
  const problems: Problem[] = [...source.problems]

  function findPlace(path: KeyPath, at: 'key' | 'value'): Place {
    const overlay = overlays.findLast((one) => startsWithPath(path, one.path))
    if (overlay !== undefined) return { file: overlay.origin, line: 0, column: 0, sourceLine: '' }
    const place = source.findPlace(path, at)
    if (place !== undefined) return { file, ...place }
    // Nothing of it is in the file: what came from outside brought the section about.
    const cause = overlays.findLast((one) => one.path[0] === path[0])
    if (cause !== undefined) return { file: cause.origin, line: 0, column: 0, sourceLine: '' }
    return { file, ...(source.findPlace([], 'value') ?? { line: 1, column: 1, sourceLine: '' }) }
  }

  const add =
    (severity: Problem['severity']) =>
    (path: KeyPath, message: string, { expected, hint, at = 'value' }: ProblemDetail = {}) => {
      problems.push({ severity, ...findPlace(path, at), message, expected, hint })
    }

  return {
    error: add('error'),
    warning: add('warning'),
    note: add('note'),
    add: (problem) => problems.push(problem),
    describePlace(path) {
      const { file: origin, line } = findPlace(path, 'value')
      return line === 0 ? origin : `line ${line}`
    },
    hasErrors: () => problems.some(({ severity }) => severity === 'error'),
    list: () => problems.toSorted((a, b) => a.line - b.line || a.column - b.column),
  }
}
