/** Something wrong, or worth a word, in a configuration. Plain data: it crosses the control socket as it is. */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'note'
  /** Where it came in: a file's path, an environment variable's name, or a command-line flag. */
  readonly file: string
  /** Both count from 1; 0 where the source has no lines. */
  readonly line: number
  readonly column: number
  /** The line as it stands in the file; '' where the source has no lines. */
  readonly sourceLine: string
  /** What is wrong, with the value that was wrong. */
  readonly message: string
  readonly expected: string | undefined
  /** The nearest valid name, or what to do. */
  readonly hint: string | undefined
}
