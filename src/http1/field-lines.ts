import { MalformedMessage } from './malformed-message.ts'
import { COLON, CR, FIELD_TEXT, HTAB, LF, SPACE, TOKEN } from './octets.ts'

/**
 * The fields from `start` to the empty line that ends the text, names and values as they came, without the white space
 * around values. Strict (RFC 9112 §5): token names with the colon at once behind them, no folded lines, CR and LF in
 * pairs only. Throws MalformedMessage.
 */
export function parseFieldLines(text: string, start: number): string[] {
  const fields: string[] = []
  let at = start
  while (text.charCodeAt(at) !== CR) {
    const nameStart = at
    while (TOKEN[text.charCodeAt(at)] === 1) at++
    if (at === nameStart || text.charCodeAt(at) !== COLON) throw new MalformedMessage('field', text.slice(nameStart))
    const name = text.substring(nameStart, at)
    at++
    while (isBlank(text.charCodeAt(at))) at++
    const valueStart = at
    while (FIELD_TEXT[text.charCodeAt(at)] === 1) at++
    let valueEnd = at
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
    fields.push(name, text.substring(valueStart, valueEnd))
    at = skipLineEnd(text, at)
  }
  skipLineEnd(text, at)
  return fields
}

/** The index behind the CR LF at `at`; throws MalformedMessage where something else stands there. */
export function skipLineEnd(text: string, at: number): number {
  if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) return at + 2
  throw new MalformedMessage('control byte before', text.slice(at))
}

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB
}
