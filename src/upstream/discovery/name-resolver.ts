import { promises as dns, lookup as lookupAddress, type RecordWithTtl, type SrvRecord } from 'node:dns'
import { promisify } from 'node:util'

/** How long what was found may be used where nothing tells. */
const USUAL_TTL_MS = 10_000
const LEAST_TTL_MS = 1_000
const MOST_TTL_MS = 300_000
const TIMEOUT_MS = 2_000
const TRIES = 2

const lookup = promisify(lookupAddress)

export interface FoundAddresses {
  /** Sorted; none where there is no such name. */
  readonly addresses: readonly string[]
  readonly ttlMs: number
}

export interface FoundService {
  /** None where there is no such service. */
  readonly records: readonly SrvRecord[]
  readonly ttlMs: number
}

/** Asks for names. Rejects where nobody could be asked, which says nothing about the name. */
export interface NameResolver {
  /** What it finds is not what the system would find. */
  readonly isPrivate: boolean
  findAddresses(host: string): Promise<FoundAddresses>
  findService(name: string): Promise<FoundService>
}

/**
 * `servers`: addresses with or without port. Where there are none, names mean what they mean to the system, with its
 * hosts file and search domains, and its name servers are asked only how long that holds.
 */
export function createNameResolver(servers: readonly string[]): NameResolver {
  const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  if (servers.length > 0) resolver.setServers(servers)
  const findRecords = async (host: string) =>
    (
      await Promise.all([
        orNone(resolver.resolve4(host, { ttl: true })),
        orNone(resolver.resolve6(host, { ttl: true })),
      ])
    ).flat()

  return {
    isPrivate: servers.length > 0,
    async findAddresses(host) {
      if (servers.length > 0) {
        const records = await findRecords(host)
        return { addresses: sortUnique(records.map(({ address }) => address)), ttlMs: ttlOf(records) }
      }
      const [entries, records] = await Promise.all([
        orNone(lookup(host, { all: true })),
        isLocal(host) ? [] : findRecords(host).catch((): RecordWithTtl[] => []),
      ])
      const addresses = sortUnique(entries.map(({ address }) => address))
      return { addresses, ttlMs: ttlOf(records.filter(({ address }) => addresses.includes(address))) }
    },
    async findService(name) {
      return { records: await orNone(resolver.resolveSrv(name)), ttlMs: USUAL_TTL_MS }
    },
  }
}

/** Nothing, where the answer is that there is nothing. */
async function orNone<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw error
  }
}

function ttlOf(records: readonly RecordWithTtl[]): number {
  if (records.length === 0) return USUAL_TTL_MS
  const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000
  return Math.min(MOST_TTL_MS, Math.max(LEAST_TTL_MS, ttlMs))
}

/** RFC 6761 §6.3: no name server has to hear of it. */
function isLocal(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost')
}

function sortUnique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort()
}
