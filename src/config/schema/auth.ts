import { z } from 'zod'
import { parsePasswordHash } from '../../password.ts'
import { backendTlsSchema } from './backend.ts'
import { fieldName, fieldValue } from './names.ts'
import { duration, refuse, scalar } from './scalars.ts'
import { list, map } from './section.ts'
import { swap } from './traits.ts'
import { serviceUrl } from './url-path.ts'

const HASH = 'a hash that `pyserve-ts hash-password` made'
const USERS = 'a map of names to hashes, with at least one name'

const usersSchema = z
  .record(
    z.string().regex(/^[\x21-\x39\x3b-\x7e][\x20-\x39\x3b-\x7e]{0,99}$/, { error: 'a name without a colon, in ASCII' }),
    scalar(z.string({ error: HASH }), (value) => (parsePasswordHash(value) === undefined ? refuse(HASH) : value)),
    { error: USERS },
  )
  .refine((users) => Object.keys(users).length > 0, { error: USERS })

const forwardSchema = map({
  url: serviceUrl().meta(swap('URL', 'Where it is asked: http://host:port/path, or https://.')),
  ssl: backendTlsSchema.optional().meta(swap('map', 'TLS to it, where the URL says https.')),
  copy_headers: list(fieldName()).meta(
    swap('list of names', 'Fields of its answer that the backend is sent, in place of any by the client.'),
  ),
  timeout: duration({ mayBeZero: false })
    .prefault('5s')
    .meta(swap('duration', 'For its whole answer; after that nobody comes in.')),
})

export const authSchema = map({
  basic: map({
    users: usersSchema.meta(swap('map of names to hashes', 'Who may come; hashes are made by hash-password.')),
    realm: fieldValue().prefault('restricted').meta(swap('text', 'What the browser tells its user.')),
  })
    .optional()
    .meta(swap('map', 'Ask for a name and a password.')),
  forward: forwardSchema.optional().meta(swap('map', 'Ask another service about every request.')),
})

export type AuthSettings = z.output<typeof authSchema>
export type ForwardAuthSettings = z.output<typeof forwardSchema>
