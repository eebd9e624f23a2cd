import { randomBytes } from 'node:crypto'

const PREFIX_BYTES = 6
/** Eight digits from the start, so that ids of one process have one length. */
const FIRST_NUMBER = 0x10000000
const MAX_LENGTH = 128

/** Ids of 20 hexadecimal digits, unique over workers and restarts; they can be guessed. One source per process. */
export function createRequestIds(): () => string {
  const prefix = randomBytes(PREFIX_BYTES).toString('hex')
  let next = FIRST_NUMBER
  return () => prefix + (next++).toString(16)
}

/** True for an id from outside that may be taken over: 1 to 128 visible ASCII characters. */
export function isRequestId(text: string): boolean {
  if (text.length === 0 || text.length > MAX_LENGTH) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f) return false
  }
  return true
}
