import type { Problem } from '../problem.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

/** What a command came to; printed in one place, so that `--json` is exactly one document. */
export interface Outcome {
  readonly exitCode: ExitCode
  /** For `--json`. */
  readonly document: unknown
  /** For people, to stdout. */
  readonly text?: string
  /** For people, to stderr. */
  readonly errorText?: string
}

export interface CommandErrorOptions {
  readonly exitCode?: ExitCode
  readonly problems?: readonly Problem[]
  /** Added to `{ ok: false, error, problems }`. */
  readonly fields?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Ends a command with a message for the user, who did nothing that deserves a stack trace. */
export class CommandError extends Error {
  readonly exitCode: ExitCode
  readonly problems: readonly Problem[]
  readonly fields: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    { exitCode = EXIT.failed, problems = [], fields = {}, cause }: CommandErrorOptions = {},
  ) {
    super(message, { cause })
    this.name = 'CommandError'
    this.exitCode = exitCode
    this.problems = problems
    this.fields = fields
  }
}

/** The shape that every failure has under `--json`. */
export function failureDocument(error: string, problems: readonly Problem[] = []): object {
  return { ok: false, error, problems }
}
