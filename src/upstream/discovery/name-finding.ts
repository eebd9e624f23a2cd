import { isIP } from 'node:net'
import type { MemberConfig } from '../../config/config.ts'
import type { ServiceTarget } from './discovered.ts'
import type { NameResolver } from './name-resolver.ts'

/** What one name of a configuration stands for. */
export interface NameFinding {
  /** Undefined for a plain host. */
  readonly targets: readonly ServiceTarget[] | undefined
  /** Of the host, or of the hosts of all targets. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
  readonly ttlMs: number
}

export type WatchedName = Pick<MemberConfig, 'host' | 'discovery'>

/** Finds what the name stands for now. Rejects where that cannot be known. */
export async function findName({ host, discovery }: WatchedName, resolver: NameResolver): Promise<NameFinding> {
  if (discovery !== 'service') {
    const { addresses, ttlMs } = await resolver.findAddresses(host)
    return { targets: undefined, addresses: { [host]: addresses }, ttlMs }
  }
  const { records, ttlMs } = await resolver.findService(host)
  const best = Math.min(...records.map(({ priority }) => priority))
  const targets = records
    .map(({ name, port, priority, weight }) => ({
      host: name,
      port,
      // RFC 2782: 0 is a small chance, and not none.
      weight: Math.max(1, weight),
      backup: priority > best,
    }))
    .sort((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1))
  const hosts = [...new Set(targets.map((target) => target.host))].filter((name) => isIP(name) === 0)
  const found = await Promise.all(hosts.map((name) => resolver.findAddresses(name)))
  return {
    targets,
    addresses: Object.fromEntries(hosts.map((name, i) => [name, found[i]?.addresses ?? []])),
    ttlMs: Math.min(ttlMs, ...found.map((one) => one.ttlMs)),
  }
}
