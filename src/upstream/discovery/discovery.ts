import type { MemberConfig } from '../../config/config.ts'
import { type Discovered, NOTHING_DISCOVERED, type ServiceTarget } from './discovered.ts'
import { findName, type NameFinding, type WatchedName } from './name-finding.ts'
import type { NameResolver } from './name-resolver.ts'

/** How soon a name is asked for again that could not be found. */
const RETRY_MS = 5_000

export interface DiscoveryHandlers {
  /** Something that is found is another than before. */
  changed(found: Discovered): void
  /** Told once, and again after it was found in the meantime. `error` is undefined where there is no such name. */
  lost(name: string, error: unknown): void
  /** Told after `lost`. */
  regained(name: string): void
}

interface Entry {
  readonly name: WatchedName
  finding: NameFinding | undefined
  isLost: boolean
  timer: NodeJS.Timeout | undefined
  /** The lookup under way, or the last one. */
  looking: Promise<void>
}

/**
 * Keeps the names of backends up to date, each by its own time to live. The primary does it once for all workers: they
 * have one picture, and name servers are asked once. A name server that is away changes nothing.
 */
export class Discovery {
  readonly #handlers: DiscoveryHandlers
  readonly #entries = new Map<string, Entry>()
  #resolver: NameResolver
  #found: Discovered = NOTHING_DISCOVERED
  #isClosed = false

  constructor(resolver: NameResolver, handlers: DiscoveryHandlers) {
    this.#resolver = resolver
    this.#handlers = handlers
  }

  get found(): Discovered {
    return this.#found
  }

  /** For the lookups that begin from now on. */
  use(resolver: NameResolver): void {
    this.#resolver = resolver
  }

  /** Adds names; resolves when each is found, or could not be, or `patienceMs` is over. */
  async watch(members: readonly MemberConfig[], patienceMs: number): Promise<void> {
    const entries = members.flatMap((member) => (member.discovery === undefined ? [] : [this.#entryOf(member)]))
    if (entries.length === 0) return
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, patienceMs)
    await Promise.race([Promise.all(entries.map(({ looking }) => looking)), patience.promise])
    clearTimeout(timer)
  }

  /** Forgets the names of others. */
  retain(members: readonly MemberConfig[]): void {
    const kept = new Set(members.map(keyOf))
    for (const [key, entry] of this.#entries) {
      if (kept.has(key)) continue
      clearTimeout(entry.timer)
      this.#entries.delete(key)
    }
    this.#tell()
  }

  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
  }

  #entryOf(name: WatchedName): Entry {
    const key = keyOf(name)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry = { name, finding: undefined, isLost: false, timer: undefined, looking: Promise.resolve() }
    this.#entries.set(key, entry)
    entry.looking = this.#look(entry)
    return entry
  }

  async #look(entry: Entry): Promise<void> {
    try {
      const finding = await findName(entry.name, this.#resolver)
      this.#note(entry, finding)
    } catch (error) {
      this.#lose(entry, error)
    }
    if (this.#isClosed || this.#entries.get(keyOf(entry.name)) !== entry) return
    const waitMs = entry.isLost ? RETRY_MS : (entry.finding?.ttlMs ?? RETRY_MS)
    entry.timer = setTimeout(() => {
      entry.looking = this.#look(entry)
    }, waitMs)
    this.#tell()
  }

  #note(entry: Entry, finding: NameFinding): void {
    entry.finding = finding
    const isNobody =
      finding.targets === undefined
        ? Object.values(finding.addresses).every(({ length }) => length === 0)
        : finding.targets.length === 0
    if (isNobody) this.#lose(entry, undefined)
    else if (entry.isLost) {
      entry.isLost = false
      this.#handlers.regained(entry.name.host)
    }
  }

  #lose(entry: Entry, error: unknown): void {
    if (entry.isLost || this.#isClosed) return
    entry.isLost = true
    this.#handlers.lost(entry.name.host, error)
  }

  #tell(): void {
    const found = this.#gather()
    if (JSON.stringify(found) === JSON.stringify(this.#found)) return
    this.#found = found
    this.#handlers.changed(found)
  }

  #gather(): Discovered {
    const addresses: Record<string, readonly string[]> = {}
    const services: Record<string, readonly ServiceTarget[]> = {}
    for (const { name, finding } of this.#entries.values()) {
      Object.assign(addresses, finding?.addresses)
      if (finding?.targets !== undefined) services[name.host] = finding.targets
    }
    return { addresses, services, isPrivate: this.#resolver.isPrivate }
  }
}

function keyOf({ host, discovery }: WatchedName): string {
  return `${discovery} ${host}`
}
