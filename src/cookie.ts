import type { HeaderList } from './header-list.ts'

const COOKIE = 'cookie'
const SPACE = 0x20

/** The value of the first cookie of that name (RFC 6265 §5.4), as it stands between `=` and `;`; undefined: there is none. */
export function findCookie(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] ?? ''
    if (field.length !== COOKIE.length || field.toLowerCase() !== COOKIE) continue
    const value = findInField(headers[i + 1] ?? '', name)
    if (value !== undefined) return value
  }
  return undefined
}

function findInField(field: string, name: string): string | undefined {
  for (let start = 0; start < field.length; ) {
    const semicolon = field.indexOf(';', start)
    const end = semicolon === -1 ? field.length : semicolon
    while (start < end && field.charCodeAt(start) === SPACE) start++
    if (field.startsWith(name, start) && field[start + name.length] === '=') {
      return field.slice(start + name.length + 1, end).trimEnd()
    }
    start = end + 1
  }
  return undefined
}
