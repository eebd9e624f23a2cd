import { hashPlainPassword, parsePasswordHash } from '../password.ts'
import type { BasicAuthConfig } from './auth-config.ts'
import type { LocationsSettings } from './schema/locations.ts'
import { prefixPath } from './schema/url-path.ts'

/** A path that asks for a password, with all that is below it. */
export interface LocationConfig {
  /** As that of a route. */
  readonly path: string
  readonly basicAuth: BasicAuthConfig
}

/** What PyServe says in its challenge. */
const REALM = 'Restricted Area'

/** No password is in the outcome. */
export function buildLocations(settings: LocationsSettings): LocationConfig[] {
  return Object.entries(settings).flatMap(([given, { auth }]) => {
    const path = prefixPath(given)
    if (typeof path !== 'string') return []
    const { username: name, password } = auth
    const isHash = parsePasswordHash(password) !== undefined
    const hash = isHash ? password : hashPlainPassword(password, `${path}\0${name}`)
    return [{ path, basicAuth: { users: [{ name, hash }], realm: REALM } }]
  })
}
