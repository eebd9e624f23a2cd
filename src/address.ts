/** A host as it stands in a URL: brackets around an IPv6 address (RFC 3986 §3.2.2). */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function formatAddress(host: string, port: number): string {
  return `${formatHost(host)}:${port}`
}
