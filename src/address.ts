const DOT = 0x2e
const OPENING_BRACKET = 0x5b

/** A host as it stands in a URL: brackets around an IPv6 address (RFC 3986 §3.2.2). */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function formatAddress(host: string, port: number): string {
  return `${formatHost(host)}:${port}`
}

/** The host of an authority for comparison: lower case, without port, brackets and one trailing dot. */
export function hostOf(authority: string): string {
  if (authority.charCodeAt(0) === OPENING_BRACKET) {
    const end = authority.indexOf(']')
    return end === -1 ? '' : authority.slice(1, end).toLowerCase()
  }
  const colon = authority.indexOf(':')
  let end = colon === -1 ? authority.length : colon
  if (authority.charCodeAt(end - 1) === DOT) end--
  return authority.slice(0, end).toLowerCase()
}
