const ZERO = 0x30
const MAX_DIGITS = 15

/** Digits alone (RFC 9110 §8.6), no more of them than can be counted with; else -1. */
export function parseContentLength(text: string): number {
  if (text.length === 0 || text.length > MAX_DIGITS) return -1
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
