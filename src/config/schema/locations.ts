import { z } from 'zod'
import { refuse, scalar, word } from './scalars.ts'
import { dictionary, map } from './section.ts'
import { swap } from './traits.ts'

const USER = 'a name without a colon, in ASCII'
const PASSWORD = 'a password, or its hash by `pyserve-ts hash-password`'

const authSchema = map({
  type: word({ basic: 'basic' }).meta(swap('basic', 'The only kind that PyServe has.')),
  username: scalar(textOrNumber(USER), (value) =>
    /^[\x21-\x39\x3b-\x7e]{1,100}$/.test(value) ? value : refuse(USER),
  ).meta(swap('text', 'Who may come.')),
  password: scalar(textOrNumber(PASSWORD), (value) => (value === '' ? refuse(PASSWORD) : value)).meta(
    swap('text', 'The password, or its hash by hash-password.'),
  ),
})

/** PyServe's access rules by path. */
export const locationsSchema = dictionary(map({ auth: authSchema })).meta(
  swap('map of paths', 'Paths that ask for a password, with all that is below them, whatever route takes them.'),
)

export type LocationsSettings = z.output<typeof locationsSchema>

/** A number stands for its own digits. */
function textOrNumber(expected: string) {
  return z.union([z.string(), z.number().transform(String)], { error: expected })
}
