import { z } from 'zod'
import { authSchema } from './auth.ts'
import { backendShape, members } from './backend.ts'
import { balancingShape } from './balancing.ts'
import { compressionSchema } from './compression.ts'
import { corsSchema } from './cors.ts'
import { errorPagesSchema } from './error-pages.ts'
import { healthShape } from './health.ts'
import { concurrencySchema, rateLimitsSchema, routeLimitsSchema } from './limits.ts'
import { mirrorSchema } from './mirror.ts'
import { cidr, domain, fieldName, fieldValue, host, method } from './names.ts'
import { retriesSchema } from './retries.ts'
import { duration, filledText, flag, text, wholeNumber, word } from './scalars.ts'
import { dictionary, list, map, section } from './section.ts'
import { splitSchema } from './split.ts'
import { none, swap } from './traits.ts'
import { redirectTarget, routePath } from './url-path.ts'

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const

const headerRulesSchema = section({
  set: dictionary(fieldValue()).meta(swap('map of names to values', 'Fields that replace those of the same name.')),
  remove: list(fieldName()).meta(swap('list of names', 'Fields that are taken out.')),
})

const routeTimeoutsSchema = section({
  connect: duration({ mayBeZero: true })
    .prefault('5s')
    .meta(swap('duration', 'To reach the backend: name, TCP and TLS.')),
  response: duration({ mayBeZero: true })
    .prefault('60s')
    .meta(swap('duration', 'From the end of the request to the response head.')),
  idle: duration({ mayBeZero: true })
    .prefault('60s')
    .meta(swap('duration', 'Longest silence of the backend in a body.')),
  websocket_idle: duration({ mayBeZero: true })
    .prefault('1h')
    .meta(swap('duration', 'Longest silence of both sides of a WebSocket connection.')),
  total: duration({ mayBeZero: true }).prefault(0).meta(swap('duration', 'For the whole exchange; 0 is no limit.')),
})

const respondSchema = map({
  status: wholeNumber(200, 599).prefault(200).meta(swap('number', 'Status, 200 to 599.')),
  body: text().prefault('').meta(swap('text', 'Body.')),
  content_type: fieldValue().prefault('text/plain; charset=utf-8').meta(swap('text', 'Content-Type of the body.')),
})

const redirectSchema = map({
  to: redirectTarget().meta(swap('path or URL', 'Where to.')),
  status: z
    .literal(REDIRECT_STATUSES, { error: `one of ${REDIRECT_STATUSES.join(', ')}` })
    .prefault(302)
    .meta(swap('number', 'Status: 301, 302, 303, 307 or 308.')),
})

export const routeSchema = map({
  path: routePath().prefault('/').meta(swap('path', 'Prefix of the paths that are forwarded, on segment boundaries.')),
  host: host()
    .optional()
    .meta(swap('host', "The backend's name or address.", 'localhost')),
  ...backendShape,
  backends: members().optional().meta(swap('list of backends', 'Several backends in place of host, port and ssl.')),
  upstream: filledText().optional().meta(swap('name', 'A group of server.upstreams in place of backends.')),
  split: splitSchema.optional().meta(swap('map', 'Several groups that share the requests, in place of one.')),
  ...balancingShape,
  ...healthShape,
  websocket: flag().optional().meta(none('boolean', 'Accepted for PyServe: WebSocket needs no setting.')),
  name: filledText()
    .max(200, { error: 'a name of at most 200 characters' })
    .regex(/^\P{Cc}*$/u, { error: 'a name without control characters' })
    .optional()
    .meta(swap('text', 'Name in logs, metrics and status.', 'domains and path')),
  domains: list(domain()).meta(swap('list of hosts', 'Hosts that are meant, also *.example.com; empty is any.')),
  methods: list(method()).meta(swap('list of methods', 'Methods that are meant; empty is any.')),
  strip_path: flag().prefault(true).meta(swap('boolean', 'Take the prefix off before forwarding.')),
  encoded_slashes: word({ keep: 'keep', refuse: 'refuse' })
    .prefault('keep')
    .meta(swap('keep or refuse', 'What becomes of %2F in a path.')),
  preserve_host: flag().prefault(false).meta(swap('boolean', "Send the client's Host on instead of the backend's.")),
  headers: section({ request: headerRulesSchema, response: headerRulesSchema }),
  timeouts: routeTimeoutsSchema,
  retries: retriesSchema,
  limits: routeLimitsSchema,
  rate_limit: rateLimitsSchema,
  concurrency: concurrencySchema,
  mirror: mirrorSchema
    .optional()
    .meta(swap('map', 'Send copies of requests to another group; its responses are dropped.')),
  allow: list(cidr()).meta(
    swap('list of address ranges', 'Clients that may come, by the address behind trusted proxies; empty is everyone.'),
  ),
  deny: list(cidr()).meta(swap('list of address ranges', 'Clients that may not, whatever allow says.')),
  auth: authSchema.optional().meta(swap('map', 'Who may come, by what they know.')),
  cors: corsSchema.optional().meta(swap('map', 'Let pages of other origins read the responses.')),
  compression: compressionSchema,
  error_pages: errorPagesSchema,
  respond: respondSchema.optional().meta(swap('map', 'Answer without a backend.')),
  redirect: redirectSchema.optional().meta(swap('map', 'Answer with a redirect.')),
})

export type RouteSettings = z.output<typeof routeSchema>
export type HeaderRuleSettings = z.output<typeof headerRulesSchema>
