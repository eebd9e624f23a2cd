import { z } from 'zod'
import { findNearest } from '../nearest.ts'
import { isFieldName } from './names.ts'
import { duration, refuse, scalar, wholeNumber } from './scalars.ts'
import { map } from './section.ts'
import { swap } from './traits.ts'

const ALGORITHMS = [
  'round_robin',
  'least_connections',
  'power_of_two',
  'least_time',
  'random',
  'ip_hash',
  'path_hash',
] as const
const HEADER_HASH = 'header_hash'
const ALGORITHM = `one of ${ALGORITHMS.join(', ')}, ${HEADER_HASH}:<name>`
const COOKIE_NAME = 'a cookie name of letters, digits, hyphens and underscores'
const SECRET = 'a text of at least 16 characters'

const stickySchema = map({
  cookie: cookieName().meta(swap('text', 'Name of the cookie that leads a client back to its backend.')),
  secret: cookieSecret()
    .optional()
    .meta(swap('text', 'What the cookie is signed with.', 'a random one, kept in the run directory')),
})

const queueSchema = map({
  size: wholeNumber(0, 100_000).prefault(100).meta(swap('number', 'How many requests may wait in one worker.')),
  timeout: duration({ mayBeZero: false }).prefault('5s').meta(swap('duration', 'How long one may wait.')),
})

/** What a group of backends, or a route with backends of its own, says about the choice among them. */
export const balancingShape = {
  load_balancing: algorithm()
    .optional()
    .meta(swap('algorithm', 'How requests are spread over the backends.', '`round_robin`')),
  sticky: stickySchema.optional().meta(swap('map', 'Lead a client back to the backend that it had.')),
  slow_start: duration({ mayBeZero: true })
    .optional()
    .meta(swap('duration', 'How long a backend that comes back takes to its full share; 0 is none.', '`0`')),
  max_connections: wholeNumber(0, 1_000_000)
    .optional()
    .meta(swap('number', 'Most requests and tunnels at one backend, all workers together; 0 is no limit.', '`0`')),
  queue: queueSchema.optional().meta(swap('map', 'Where requests wait for a place at a backend.')),
}

export function cookieName() {
  return z.string({ error: COOKIE_NAME }).regex(/^[\w-]{1,100}$/, { error: COOKIE_NAME })
}

export function cookieSecret() {
  return z.string({ error: SECRET }).min(16, { error: SECRET })
}

/** Its name, with the name of the field in lower case. */
function algorithm() {
  return scalar(z.string({ error: ALGORITHM }), (value) => {
    const [kind = '', ...rest] = value.trim().split(':')
    const name = kind.trim().toLowerCase().replaceAll('-', '_')
    const field = rest.join(':').trim()
    if (name === HEADER_HASH) {
      return isFieldName(field) ? `${HEADER_HASH}:${field.toLowerCase()}` : refuse(`${HEADER_HASH}:<name of a header>`)
    }
    const known = ALGORITHMS.find((one) => one === name)
    if (known !== undefined && rest.length === 0) return known
    const near = findNearest(name, [...ALGORITHMS, HEADER_HASH])
    return refuse(ALGORITHM, near && `did you mean "${near === HEADER_HASH ? `${near}:<name>` : near}"?`)
  })
}
