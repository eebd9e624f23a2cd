import { parsePasswordHash } from '../../password.ts'
import { isPathWithin } from '../../path-prefix.ts'
import { routePath } from '../backend-places.ts'
import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import { prefixPath } from '../schema/url-path.ts'

const LOCATIONS: KeyPath = ['server', 'locations']

/** What the schema cannot see of PyServe's locations: how they, and they and routes, go together. */
export function checkLocations({ server, routes }: ConfigParts, report: Report): void {
  const seen = new Map<string, KeyPath>()
  for (const given of Object.keys(server.locations)) {
    const place: KeyPath = [...LOCATIONS, given]
    const path = prefixPath(given)
    if (typeof path !== 'string') {
      const { expected, hint } = path
      report.error(place, `invalid path ${showValue(given)} in server.locations`, { expected, hint, at: 'key' })
      continue
    }
    const earlier = seen.get(path)
    seen.set(path, earlier ?? place)
    if (earlier !== undefined) {
      report.error(place, `the location ${path} stands on ${report.describePlace(earlier)} already`, { at: 'key' })
    }
    checkMeeting(path, place, routes, report)
  }
  const isPlain = Object.values(server.locations).some(({ auth }) => parsePasswordHash(auth.password) === undefined)
  // At the key of all of them: the line of a password is not to be shown.
  if (isPlain) report.note(LOCATIONS, 'a password may be its hash: `pyserve-ts hash-password` makes it', { at: 'key' })
}

/** One Authorization field cannot answer two that ask. */
function checkMeeting(path: string, place: KeyPath, routes: ConfigParts['routes'], report: Report): void {
  for (const [i, route] of routes.entries()) {
    if (route?.auth?.basic === undefined || !(isPathWithin(path, route.path) || isPathWithin(route.path, path)))
      continue
    const asking = report.describePlace([...routePath(i), 'auth', 'basic'])
    report.error(place, `the location ${path} asks for a password, and so does the route on ${asking}`, {
      expected: 'one of the two',
      at: 'key',
    })
  }
}
