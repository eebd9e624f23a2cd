import { isIPv4 } from 'node:net'
import type { KeyPath } from '../key-path.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import { listHosts } from './server.ts'

const HOST: KeyPath = ['admin', 'host']
const PORT: KeyPath = ['admin', 'port']
const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

/** What the schema cannot see of `admin`: who reaches it, and what else is at its port. */
export function checkAdmin(parts: ConfigParts, report: Report): void {
  const { admin } = parts
  if (admin.port === 0) return
  if (!isLoopback(admin.host)) {
    report.warning(HOST, `admin.host ${admin.host} is not loopback: whoever reaches it reads metrics and status`, {
      hint: 'leave it out for 127.0.0.1, or let a firewall decide who reaches it',
    })
  }
  const hosts = listHosts(parts.server)
  const isShared = hosts.some((host) => host === admin.host || ANY_ADDRESS.has(host) || ANY_ADDRESS.has(admin.host))
  const taken = isShared ? findOwner(parts) : undefined
  if (taken !== undefined) {
    report.error(PORT, `admin.port ${admin.port} is ${taken} too`, { expected: 'a port of its own, or 0: off' })
  }
}

function findOwner({ admin, server, ssl, isBroken }: ConfigParts): string | undefined {
  if (!isBroken('server.port') && server.port === admin.port) return 'server.port'
  return ssl.enabled && !isBroken('ssl.port') && ssl.port === admin.port ? 'ssl.port' : undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
