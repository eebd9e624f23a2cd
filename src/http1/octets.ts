export const HTAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const COLON = 58
export const SEMICOLON = 59
export const EQUALS = 61
export const QUOTE = 34
export const BACKSLASH = 92

/**
 * 1 for each octet that may stand in a token: a method or a field name (RFC 9110 §5.6.2). Whatever is no octet has no
 * entry, so that `TOKEN[code] === 1` also refuses what does not fit into one.
 */
export const TOKEN = createTable((octet) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(octet)))

/** 1 for each octet that may stand in a field value or a reason phrase: no control but HTAB (RFC 9110 §5.5). */
export const FIELD_TEXT = createTable((octet) => octet === HTAB || (octet >= SPACE && octet !== 127))

/** 1 for each octet that may stand in a request target: neither controls nor white space. */
export const TARGET = createTable((octet) => octet > SPACE && octet !== 127)

/** 1 for each visible ASCII character. */
export const VISIBLE = createTable((octet) => octet > SPACE && octet < 127)

/** True where the text has at least one character, all of them in the table. */
export function consistsOf(table: Uint8Array, text: string): boolean {
  return text.length > 0 && isWithin(table, text)
}

/** True where every character of the text, if any, is in the table. */
export function isWithin(table: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (table[text.charCodeAt(i)] !== 1) return false
  }
  return true
}

function createTable(isMember: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (isMember(octet) ? 1 : 0))
}
