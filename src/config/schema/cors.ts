import { z } from 'zod'
import { fieldName, method, parseHost } from './names.ts'
import { duration, flag, type Refusal, refuse, scalar } from './scalars.ts'
import { list, map } from './section.ts'
import { swap } from './traits.ts'

const ORIGIN = 'an origin such as https://app.example.com, https://*.example.com, or *'
const ORIGINS = 'a list with at least one origin'

export const corsSchema = map({
  origins: z
    .array(origin(), { error: ORIGINS })
    .min(1, { error: ORIGINS })
    .meta(swap('list of origins', 'Who may read responses: https://app.example.com, https://*.example.com, or *.')),
  methods: list(method()).meta(
    swap('list of methods', "What they may send; empty is the route's methods, or the usual ones where it takes any."),
  ),
  headers: list(fieldName()).meta(swap('list of names', 'Fields that they may send; empty is what they ask for.')),
  expose: list(fieldName()).meta(
    swap('list of names', 'Fields of responses that they may read besides the safe ones.'),
  ),
  credentials: flag().prefault(false).meta(swap('boolean', 'Whether cookies and passwords may come along.')),
  max_age: duration({ mayBeZero: true })
    .prefault('10m')
    .meta(swap('duration', 'How long a browser may keep what it was told; 0 is not at all.')),
})

export type CorsSettings = z.output<typeof corsSchema>

/** As browsers write it (RFC 6454 §6.2): lower case, without the port that goes without saying. */
function origin() {
  return scalar(z.string({ error: ORIGIN }), (value) => (value.trim() === '*' ? '*' : parseOrigin(value.trim())))
}

function parseOrigin(text: string): string | Refusal {
  if (text.toLowerCase() === 'null')
    return refuse(ORIGIN, 'any page can make its origin null: no origin can be told by it')
  const [, scheme = '', authority = '', rest = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text) ?? []
  if (scheme === '')
    return refuse(ORIGIN, /^[\w*.-]+(?::\d+)?$/.test(text) ? `did you mean "https://${text}"?` : undefined)
  if (rest !== '') return refuse(ORIGIN, `an origin has no path: "${scheme}://${authority}"`)
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority) ?? []
  const isWildcard = host.startsWith('*.')
  const name = parseHost(isWildcard ? host.slice(2) : host)
  if (typeof name !== 'string' || Number(port ?? 1) > 65_535) return refuse(ORIGIN)
  const shown = host.startsWith('[') ? host : (isWildcard ? '*.' : '') + name
  const isUsual = port === undefined || `${scheme.toLowerCase()}:${Number(port)}` === usualPort(scheme)
  return `${scheme}://${shown}${isUsual ? '' : `:${Number(port)}`}`.toLowerCase()
}

function usualPort(scheme: string): string {
  return scheme.toLowerCase() === 'https' ? 'https:443' : 'http:80'
}
