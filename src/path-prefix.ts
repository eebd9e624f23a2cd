/** Whether a path is the prefix or below it, on segment boundaries. Both are in the same form, the prefix without a trailing slash. */
export function isPathWithin(path: string, prefix: string): boolean {
  if (prefix === '/' || path === prefix) return true
  return path.startsWith(prefix) && path.charAt(prefix.length) === '/'
}
