import type { Redis } from 'ioredis'
import type { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RedisConfig } from '../config/limits-config.ts'

export interface RedisWatcher {
  /** Limits are counted in Redis again. */
  found(): void
  /** Limits are counted on this machine until it is found again. */
  lost(error: Error): void
}

/** GCRA in whole microseconds on the clock of Redis, so that the clocks of its clients do not matter. */
const GCRA = `
local time = redis.call('time')
local now = time[1] * 1000000 + time[2]
local count, burst, full = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local due = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), now)
local after = math.max(now, due + count * full / burst)
if count > 0 and after - now > full + 0.01 then
  return { burst + 1, math.ceil((after - full - now) / 1000) }
end
redis.call('set', KEYS[1], string.format('%.3f', after), 'PX', math.max(1, math.ceil((after - now) / 1000)))
return { math.ceil((after - now) * burst / full - 0.000001), math.ceil((after - now) / 1000) }
`

/** Between two tries to reach it. */
const RETRY_MS = 500
const CONNECT_MS = 2_000

/**
 * The connection of one worker to Redis. An answer that does not come in time takes it out of use until a ping of its
 * own is answered: requests wait for it once, not for as long as it is away.
 */
export class RedisLink {
  readonly config: RedisConfig
  readonly #watcher: RedisWatcher
  #client: Redis | undefined
  #Limiter: typeof RateLimiterRedis | undefined
  #isUp = false
  #isClosed = false
  #probe: NodeJS.Timeout | undefined

  /** Begins to connect; nothing of it is loaded before. */
  constructor(config: RedisConfig, watcher: RedisWatcher) {
    this.config = config
    this.#watcher = watcher
    void this.#open()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Allows `burst` at once, and as many again in `fullMs` milliseconds. Undefined while it was never reached. */
  createLimiter(name: string, burst: number, fullMs: number): RateLimiterRedis | undefined {
    if (this.#client === undefined || this.#Limiter === undefined) return undefined
    return new this.#Limiter({
      storeClient: this.#client,
      keyPrefix: this.config.prefix + name,
      points: burst,
      // The package takes seconds and only hands them to the script, which is ours and takes microseconds.
      duration: Math.max(1, fullMs * 1_000),
      customIncrTtlLuaScript: GCRA,
    })
  }

  /** A request to it failed. */
  failed(error: Error): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#watcher.lost(error)
    this.#probeLater()
  }

  close(): void {
    this.#isClosed = true
    this.#isUp = false
    clearTimeout(this.#probe)
    this.#client?.disconnect()
  }

  async #open(): Promise<void> {
    const [{ Redis }, limits] = await Promise.all([import('ioredis'), import('rate-limiter-flexible')])
    if (this.#isClosed) return
    const { url, password, timeoutMs } = this.config
    const client = new Redis(url, {
      ...(password === undefined ? {} : { password }),
      commandTimeout: timeoutMs,
      connectTimeout: CONNECT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => RETRY_MS,
    })
    this.#client = client
    this.#Limiter = limits.RateLimiterRedis
    let isAnnounced = false
    client.on('error', (error) => {
      if (!isAnnounced && !this.#isUp && !this.#isClosed) this.#watcher.lost(error)
      isAnnounced = true
    })
    client.on('ready', () => {
      isAnnounced = true
      this.#come()
    })
    client.on('close', () => this.failed(new Error('the connection to redis ended')))
  }

  #come(): void {
    if (this.#isUp || this.#isClosed) return
    clearTimeout(this.#probe)
    this.#isUp = true
    this.#watcher.found()
  }

  #probeLater(): void {
    clearTimeout(this.#probe)
    if (this.#isClosed) return
    this.#probe = setTimeout(() => {
      const client = this.#client
      // A connection that is being made again says so itself.
      if (client?.status !== 'ready') return
      client.ping().then(
        () => this.#come(),
        () => this.#probeLater(),
      )
    }, RETRY_MS).unref()
  }
}
