import type { Logger } from 'pino'
import type { RedisConfig } from '../config/limits-config.ts'
import { RedisLink } from '../limits/redis-link.ts'

/** Keeps one connection for each Redis that a snapshot counts in, over reloads. */
export class RedisLinks {
  readonly #links = new Map<string, RedisLink>()
  readonly #logger: () => Logger

  constructor(logger: () => Logger) {
    this.#logger = logger
  }

  /** The same link for the same settings. Throws without settings: the check of the configuration is at fault then. */
  open(config: RedisConfig | undefined): RedisLink {
    if (config === undefined) throw new Error('a limit counts in redis, and server.redis is not there')
    const key = JSON.stringify(config)
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const link = new RedisLink(config, {
      found: () => this.#logger().info('limits are counted in redis'),
      lost: (error) => this.#logger().warn({ err: error }, 'redis is away: limits are counted on this machine'),
    })
    this.#links.set(key, link)
    return link
  }

  /** Closes every other. */
  retain(config: RedisConfig | undefined): void {
    const kept = config && JSON.stringify(config)
    for (const [key, link] of this.#links) {
      if (key === kept) continue
      link.close()
      this.#links.delete(key)
    }
  }
}
