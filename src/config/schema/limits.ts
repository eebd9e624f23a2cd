import { z } from 'zod'
import { findNearest } from '../nearest.ts'
import { isFieldName } from './names.ts'
import { duration, filledText, flag, refuse, scalar, size, text, wholeNumber, word } from './scalars.ts'
import { map, section } from './section.ts'
import { swap } from './traits.ts'

const MOST_REQUESTS = 1_000_000
const KEY = 'ip, route, header:NAME or cookie:NAME'
const REDIS_URL = 'a URL such as redis://host:6379/0, or rediss:// for TLS'

const rateLimitSchema = map({
  requests: wholeNumber(1, MOST_REQUESTS).meta(swap('number', 'How many requests pass in the time that per says.')),
  per: duration({ mayBeZero: false }).prefault('1m').meta(swap('duration', 'That time.')),
  burst: wholeNumber(1, MOST_REQUESTS)
    .optional()
    .meta(swap('number', 'How many may come at once after a pause.', 'requests')),
  key: limitKey()
    .prefault('ip')
    .meta(swap('ip, route, header:NAME or cookie:NAME', 'What each has an allowance of its own.')),
  dry_run: flag().prefault(false).meta(swap('boolean', 'Log what would be refused, and let it pass.')),
  store: word({ memory: 'memory', redis: 'redis' })
    .prefault('memory')
    .meta(swap('memory or redis', 'Count on this machine, or in server.redis for several.')),
})

export const rateLimitsSchema = z
  .union([rateLimitSchema, z.array(rateLimitSchema)], { error: 'a map of settings, or a list of them' })
  .optional()
  .meta(swap('map or list of maps', 'How often a client may come; of several limits each must have room.'))

export const concurrencySchema = wholeNumber(0, MOST_REQUESTS)
  .prefault(0)
  .meta(swap('number', 'Most requests under way, in all workers together; 0 is no limit.'))

export const routeLimitsSchema = section({
  body_bytes: size('0')
    .optional()
    .meta(swap('size', 'Longest request body; 0 is no limit.', 'server.limits.body_bytes')),
})

export const redisSchema = map({
  url: redisUrl().meta(swap('URL', 'Where it is: redis://user@host:6379/0, or rediss:// for TLS.')),
  password: text().optional().meta(swap('text', 'Its password, where it does not stand in the URL.')),
  prefix: filledText().prefault('pyserve-ts:').meta(swap('text', 'Before the name of every key.')),
  timeout: duration({ mayBeZero: false })
    .prefault('50ms')
    .meta(swap('duration', 'Longest wait for one answer; then it is counted on this machine.')),
})
  .optional()
  .meta(swap('map', 'The Redis of limits with store: redis.'))

export type RateLimitSettings = z.output<typeof rateLimitSchema>
export type RedisSettings = z.output<typeof redisSchema>

/** `ip`, `route`, or a kind and a name: `header:x-api-key`. */
function limitKey() {
  return scalar(z.string({ error: KEY }), (value) => {
    const colon = value.indexOf(':')
    const kind = (colon === -1 ? value : value.slice(0, colon)).trim().toLowerCase()
    const name = colon === -1 ? '' : value.slice(colon + 1).trim()
    if (kind === 'ip' || kind === 'route') return colon === -1 ? kind : refuse(KEY, `write only "${kind}"`)
    if (kind === 'header' || kind === 'cookie') {
      if (!isFieldName(name)) return refuse(`the name of a ${kind}, as in ${kind}:${EXAMPLES[kind]}`)
      return `${kind}:${kind === 'header' ? name.toLowerCase() : name}`
    }
    const near = findNearest(kind, ['ip', 'route', 'header', 'cookie'])
    return refuse(KEY, near && `did you mean "${near}"?`)
  })
}

function redisUrl() {
  return scalar(z.string({ error: REDIS_URL }), (value) => {
    const url = URL.parse(value)
    const isRedis = url?.protocol === 'redis:' || url?.protocol === 'rediss:'
    return isRedis && url.hostname !== '' && /^(?:\/\d*)?$/.test(url.pathname) ? value : refuse(REDIS_URL)
  })
}

const EXAMPLES = { header: 'X-Api-Key', cookie: 'session' } as const
