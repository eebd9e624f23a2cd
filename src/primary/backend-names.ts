import type { Logger } from 'pino'
import { listUpstreams } from '../config/balancing-config.ts'
import type { Config, MemberConfig } from '../config/config.ts'
import type { Discovered } from '../upstream/discovery/discovered.ts'
import { Discovery } from '../upstream/discovery/discovery.ts'
import { createNameResolver } from '../upstream/discovery/name-resolver.ts'

/** How long a start or a reload waits for names that are new; those found later are told when they are. */
const PATIENCE_MS = 2_000

/** Keeps what is known of the names of backends. */
export interface BackendNames {
  readonly found: Discovered
  /** Adds the names of a configuration; resolves when they are known, or it would take too long. */
  watch(config: Config): Promise<void>
  /** Forgets the names of all other configurations. */
  retain(config: Config): void
  close(): void
}

/** `changed` is told what is known whenever that changes. */
export function createBackendNames(logger: Logger, changed: (found: Discovered) => void): BackendNames {
  let servers: readonly string[] = []
  const discovery = new Discovery(createNameResolver(servers), {
    changed,
    lost(name, error) {
      if (error === undefined) logger.warn({ name }, 'a backend does not resolve: it is down until it does')
      else logger.warn({ name, err: error }, 'a backend cannot be looked up: what was known of it counts on')
    },
    regained: (name) => logger.info({ name }, 'a backend resolves again'),
  })
  return {
    get found() {
      return discovery.found
    },
    async watch(config) {
      const { nameServers } = config.server
      if (nameServers.join() !== servers.join()) {
        servers = nameServers
        discovery.use(createNameResolver(servers))
      }
      await discovery.watch(listMembers(config), PATIENCE_MS)
    },
    retain: (config) => discovery.retain(listMembers(config)),
    close: () => discovery.close(),
  }
}

function listMembers(config: Config): MemberConfig[] {
  return listUpstreams(config).flatMap(({ backends }) => backends)
}
