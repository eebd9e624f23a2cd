import { z } from 'zod'
import { upstreamSchema } from './backend.ts'
import { errorPagesSchema } from './error-pages.ts'
import { redisSchema } from './limits.ts'
import { locationsSchema } from './locations.ts'
import { cidr, host, nameServer } from './names.ts'
import { routeSchema } from './route.ts'
import { duration, size, wholeNumber, word } from './scalars.ts'
import { dictionary, list, section } from './section.ts'
import { none, roll, scale, swap } from './traits.ts'
import { redirectTarget } from './url-path.ts'

const LEAST_WORKERS = 1
const MOST_WORKERS = 1024

const clientTimeoutsSchema = section({
  header: duration({ mayBeZero: false }).prefault('10s').meta(swap('duration', 'For the whole request head.')),
  body_idle: duration({ mayBeZero: false })
    .prefault('30s')
    .meta(swap('duration', 'Longest silence of a client that sends a body.')),
  write_idle: duration({ mayBeZero: false })
    .prefault('30s')
    .meta(swap('duration', 'Longest time in which a client takes nothing of a response.')),
  keep_alive: duration({ mayBeZero: false })
    .prefault('75s')
    .meta(swap('duration', 'How long a connection is kept for the next request.')),
  drain: duration({ mayBeZero: true })
    .prefault('30s')
    .meta(swap('duration', 'Patience for open requests when a worker ends.')),
  websocket_drain: duration({ mayBeZero: true })
    .prefault('5m')
    .meta(swap('duration', 'Patience for open WebSocket connections when a worker ends.')),
})

const clientLimitsSchema = section({
  header_bytes: size('1kb', '1mb').prefault('16kb').meta(swap('size', 'Longest request head.')),
  headers: wholeNumber(1, 10_000).prefault(100).meta(swap('number', 'Most fields in a request head.')),
  body_bytes: size('0').prefault(0).meta(swap('size', 'Longest request body; 0 is no limit.')),
  connections: wholeNumber(1, 1_000_000)
    .prefault(10_000)
    .meta(swap('number', 'Most client connections of one worker.')),
})

const hosts = z.union([host(), z.array(host()).min(1, { error: 'at least one address' })], {
  error: 'a host name or an IP address, or a list of them',
})

const redirects = z.record(z.string(), redirectTarget())

/** Everything under `server` but the routes and the groups of backends. */
export const serverShape = {
  host: hosts.prefault('127.0.0.1').meta(roll('host or list of hosts', 'Addresses to listen on.')),
  port: wholeNumber(0, 65_535).prefault(8000).meta(roll('port', 'Port to listen on; 0 is any free one.')),
  backlog: wholeNumber(1, 65_535).prefault(511).meta(roll('number', 'Most connections that wait to be accepted.')),
  workers: z
    .union([wholeNumber(LEAST_WORKERS, MOST_WORKERS), z.literal('auto')], {
      error: `auto, or a whole number from ${LEAST_WORKERS} to ${MOST_WORKERS}`,
    })
    .prefault('auto')
    .meta(scale('number or auto', 'Worker processes; auto is one for each available core.')),
  engine: word({ native: 'native', 'http-proxy-3': 'http-proxy-3' })
    .prefault('native')
    .meta(roll('native or http-proxy-3', 'What speaks HTTP to the backends.')),
  trusted_proxies: list(cidr()).meta(
    swap('list of address ranges', 'Proxies before this one, whose X-Forwarded-* fields are believed.'),
  ),
  name_servers: list(nameServer()).meta(
    swap('list of addresses', "Name servers for the names in `backends`; empty is the system's way."),
  ),
  timeouts: clientTimeoutsSchema,
  limits: clientLimitsSchema,
  redis: redisSchema,
  error_pages: errorPagesSchema,
  redirect_instructions: z
    .preprocess(
      (value) => value ?? [],
      z.union([redirects, z.array(redirects)], { error: 'a list of maps from path to target' }),
    )
    .prefault([])
    .meta(swap('list of maps', 'Exact paths that are answered with 302: path to target.')),
  default_root: z.unknown().optional().meta(none('any', 'Accepted for PyServe, not served: a warning.')),
  locations: locationsSchema,
}

export const serverSchema = section({
  ...serverShape,
  upstreams: dictionary(upstreamSchema).meta(swap('map of groups', 'Groups of backends that routes share, by name.')),
  reverse_proxy: list(routeSchema).meta(swap('list of routes', 'What is forwarded where; the longest path wins.')),
})

export type ServerSettings = Omit<z.output<typeof serverSchema>, 'reverse_proxy' | 'upstreams'>
