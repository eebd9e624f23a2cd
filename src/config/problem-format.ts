import type { Problem } from '../problem.ts'

const INDENT = '  '
const WINDOW_BEFORE = 80
const WINDOW_AFTER = 60

const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u
const DOUBLE_WIDTH =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u

/** Several lines without a last line break: place and message, the source line, a caret under the column, what to do. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, severity, message, expected, hint } = problem
  const place = line === 0 ? file : `${file}:${line}:${column}`
  const lines = [`${toPrintable(place)}: ${severity}: ${toPrintable(message)}`, ...formatSource(problem)]
  if (expected !== undefined) lines.push(`${INDENT}expected: ${toPrintable(expected)}`)
  if (hint !== undefined) lines.push(`${INDENT}hint: ${toPrintable(hint)}`)
  return lines.join('\n')
}

function formatSource({ line, column, sourceLine }: Problem): string[] {
  if (line === 0 || sourceLine.trim() === '') return []
  const characters = [...sourceLine]
  const at = Math.min(column - 1, characters.length)
  const from = Math.max(0, at - WINDOW_BEFORE)
  const until = Math.min(characters.length, at + WINDOW_AFTER)
  const before = (from > 0 ? '…' : '') + characters.slice(from, at).join('')
  const after = characters.slice(at, until).join('') + (until < characters.length ? '…' : '')
  // The terminal expands the same tabs at the same place in both lines.
  const gap = [...before].map((character) => (character === '\t' ? '\t' : ' '.repeat(widthOf(character)))).join('')
  return [`${INDENT}${toPrintableSource(before + after)}`, `${INDENT}${gap}^`]
}

function widthOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0
  return DOUBLE_WIDTH.test(character) || isIdeographOfLaterPlane(character) ? 2 : 1
}

function isIdeographOfLaterPlane(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return code >= 0x20000 && code <= 0x3fffd
}

/** What a file says is shown, never obeyed: no escape sequence of it reaches the terminal. */
function toPrintable(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd')
}

function toPrintableSource(text: string): string {
  return text.split('\t').map(toPrintable).join('\t')
}
