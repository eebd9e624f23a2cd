import { z } from 'zod'
import { parsePasswordHash } from '../../password.ts'
import { fieldValue } from './names.ts'
import { refuse, scalar } from './scalars.ts'
import { map } from './section.ts'
import { swap } from './traits.ts'

const HASH = 'a hash that `pyserve-ts hash-password` made'
const USERS = 'a map of names to hashes, with at least one name'

const usersSchema = z
  .record(
    z.string().regex(/^[\x21-\x39\x3b-\x7e][\x20-\x39\x3b-\x7e]{0,99}$/, { error: 'a name without a colon, in ASCII' }),
    scalar(z.string({ error: HASH }), (value) => (parsePasswordHash(value) === undefined ? refuse(HASH) : value)),
    { error: USERS },
  )
  .refine((users) => Object.keys(users).length > 0, { error: USERS })

export const authSchema = map({
  basic: map({
    users: usersSchema.meta(swap('map of names to hashes', 'Who may come; hashes are made by hash-password.')),
    realm: fieldValue().prefault('restricted').meta(swap('text', 'What the browser tells its user.')),
  })
    .optional()
    .meta(swap('map', 'Ask for a name and a password.')),
})

export type AuthSettings = z.output<typeof authSchema>
