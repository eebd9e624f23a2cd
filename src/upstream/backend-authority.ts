import { formatAddress, formatHost, hostOf } from '../address.ts'
import type { BackendConfig } from '../config/config.ts'

/** How a backend is addressed in messages; made once per backend. */
export interface BackendAuthority {
  /** The Host field: brackets around IPv6, no port where it is the scheme's default (RFC 9110 §7.2). */
  readonly hostField: string
  /** For comparison: lower case, without brackets. */
  readonly host: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

export function describeBackend({ host, port, tls }: BackendConfig): BackendAuthority {
  const scheme = tls === undefined ? 'http' : 'https'
  const [address = ''] = host.split('%')
  const name = address.includes(':') ? formatHost(address) : host
  const hostField = port === defaultPort(scheme) ? name : `${name}:${port}`
  return { hostField, host: hostOf(name), port, scheme }
}

/** `host:port` for logs and metrics, with the address where one of several is meant. */
export function nameBackend(config: BackendConfig): string {
  const { host, port } = describeBackend(config)
  return formatAddress(config.address ?? host, port)
}

export function defaultPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80
}
