import { createHmac, randomBytes } from 'node:crypto'
import type { BasicAuthConfig } from '../config/auth-config.ts'
import { findHeader } from '../header-list.ts'
import { isPassword, type PasswordHash, parsePasswordHash } from '../password.ts'
import type { Gate, Verdict } from './gate.ts'

/** How long a password that was right is not hashed again. */
const REMEMBERED_MS = 60_000
const MOST_REMEMBERED = 1_000
/** Hashes at a time, for one route of one worker: guesses must not keep everybody else waiting. */
const MOST_AT_ONCE = 32

const BUSY: Verdict = { kind: 'refuse', reason: 'over_capacity', fields: ['Retry-After', '1'] }

interface Credentials {
  readonly user: string
  readonly password: string
}

/**
 * Asks for a name and a password (RFC 7617), and tells the backend the name in X-Remote-User. Passwords are hashed off
 * the event loop; what was right is remembered for a minute as a digest under a key that never leaves the process.
 */
export function createBasicAuthGate({ users, realm }: BasicAuthConfig): Gate {
  const hashes = new Map(users.map(({ name, hash }) => [name, parse(hash)]))
  // Names that do not exist take as long as those that do.
  const [stranger] = hashes.values()
  const challenge: Verdict = {
    kind: 'refuse',
    reason: 'unauthorized',
    fields: ['WWW-Authenticate', `Basic realm="${realm.replaceAll(/["\\]/g, '\\$&')}", charset="UTF-8"`],
  }
  const key = randomBytes(32)
  const remembered = new Map<string, number>()
  const pending = new Map<string, Promise<boolean>>()

  async function check({ user, password }: Credentials, digest: string): Promise<boolean> {
    const known = hashes.get(user)
    const hash = known ?? stranger
    const isRight = hash !== undefined && (await isPassword(password, hash)) && known !== undefined
    if (isRight) remember(digest)
    return isRight
  }

  function remember(digest: string): void {
    const oldest = remembered.size < MOST_REMEMBERED ? undefined : remembered.keys().next().value
    if (oldest !== undefined) remembered.delete(oldest)
    remembered.set(digest, performance.now() + REMEMBERED_MS)
  }

  return {
    enter(arrival) {
      const credentials = readCredentials(findHeader(arrival.head.headers, 'authorization'))
      if (credentials === undefined) return challenge
      const fields = [...arrival.requestFields, 'X-Remote-User', credentials.user]
      const digest = createHmac('sha256', key).update(`${credentials.user}\0${credentials.password}`).digest('base64')
      if ((remembered.get(digest) ?? 0) > performance.now()) {
        arrival.requestFields = fields
        return undefined
      }
      const running = pending.get(digest)
      if (running === undefined && pending.size >= MOST_AT_ONCE) return BUSY
      const checked = running ?? check(credentials, digest).finally(() => pending.delete(digest))
      pending.set(digest, checked)
      return checked.then(
        (isRight) => {
          if (!isRight) return challenge
          arrival.requestFields = fields
          return undefined
        },
        () => BUSY,
      )
    },
  }
}

/** Undefined where there are none that could be right: another scheme, no base64, a name that is no field value. */
function readCredentials(value: string | undefined): Credentials | undefined {
  const [, token] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value ?? '') ?? []
  if (token === undefined) return undefined
  const text = Buffer.from(token, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const user = text.slice(0, colon)
  if (colon < 1 || !/^[\x20-\x7e]+$/.test(user)) return undefined
  return { user, password: text.slice(colon + 1) }
}

function parse(hash: string): PasswordHash {
  const parsed = parsePasswordHash(hash)
  if (parsed === undefined) throw new Error('a user has no hash of a password')
  return parsed
}
