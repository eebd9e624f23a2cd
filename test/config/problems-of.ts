import { type ParseOptions, parseConfig } from '../../src/config/parse.ts'
import type { Problem } from '../../src/problem.ts'

/** The problems of a text, each on one line: `2:7 error message | expected: … | hint: …`. */
export function problemsOf(text: string, options: Partial<ParseOptions> = {}): string[] {
  const draft = parseConfig(text, 'config.yaml', { env: {}, overrides: {}, workingDirectory: '/work', ...options })
  return draft.report.list().map(summarize)
}

export function summarize({ file, line, column, severity, message, expected, hint }: Problem): string {
  const place = line === 0 ? file : `${line}:${column}`
  const details = [expected && `expected: ${expected}`, hint && `hint: ${hint}`].filter(
    (detail) => detail !== undefined,
  )
  return [`${place} ${severity} ${message}`, ...details].join(' | ')
}
