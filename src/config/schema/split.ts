import { z } from 'zod'
import { cookieName, cookieSecret } from './balancing.ts'
import { isFieldName } from './names.ts'
import { filledText, refuse, scalar, wholeNumber } from './scalars.ts'
import { map } from './section.ts'
import { swap } from './traits.ts'

const BY = 'random, cookie:<name> or header:<name>'
const PARTS = 'a list with at least two upstreams'

const partSchema = map({
  upstream: filledText().meta(swap('name', 'A group of server.upstreams.')),
  weight: wholeNumber(0, 65_535).prefault(1).meta(swap('number', 'Its share of the requests; 0 is none.')),
})

/** A share of the requests for each of several groups. */
export const splitSchema = map({
  to: z
    .array(partSchema, { error: PARTS })
    .min(2, { error: PARTS })
    .meta(swap('list of upstreams', 'The groups that share the requests.')),
  by: scalar(z.string({ error: BY }), parseRule)
    .prefault('random')
    .meta(swap('rule', 'What decides: random, cookie:<name> or header:<name>.')),
  secret: cookieSecret()
    .optional()
    .meta(swap('text', 'What the cookie is signed with.', 'a random one, kept in the run directory')),
})

export type SplitSettings = z.output<typeof splitSchema>

function parseRule(value: string) {
  const [kind = '', ...rest] = value.trim().split(':')
  const name = rest.join(':').trim()
  switch (kind.trim().toLowerCase()) {
    case 'random':
      return rest.length === 0 ? 'random' : refuse(BY)
    case 'header':
      return isFieldName(name) ? `header:${name.toLowerCase()}` : refuse('header:<name of a header>')
    case 'cookie':
      return cookieName().safeParse(name).success ? `cookie:${name}` : refuse('cookie:<name of a cookie>')
    default:
      return refuse(BY)
  }
}
